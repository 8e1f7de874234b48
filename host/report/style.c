/* Colours have a contrast of 4.5 and more with the page as text, of 3 and more as lines, in both themes. */
#include "report/style.h"

#define LIGHT                                                                                                       \
  "--paper:#fff;--ink:#1b1f24;--dim:#57606a;--line:#d0d7de;--panel:#f6f8fa;--c0:#0b62a8;--c1:#b45309;--c2:#15803d;" \
  "--c3:#7e22ce;--c4:#be185d;--c5:#57606a;--plus:#0b62a8;--minus:#b91c1c;--heat:#084c8d;--on:#fff"
#define DARK                                                                                                           \
  "--paper:#0f1419;--ink:#e6edf3;--dim:#9aa4af;--line:#3d444d;--panel:#171d24;--c0:#6cb6ff;--c1:#ffa657;--c2:#6bc46d;" \
  "--c3:#d2a8ff;--c4:#ff9bce;--c5:#9aa4af;--plus:#6cb6ff;--minus:#ff8b80;--heat:#6cb6ff;--on:#0f1419"

const char style_colours[] = ":root{color-scheme:light dark;" LIGHT
                             "}\n"
                             "@media(prefers-color-scheme:dark){:root{" DARK
                             "}}\n"
                             "@media print{:root{color-scheme:light;" LIGHT "}}\n";

const char style_pictures[] =
    "svg text{font:11px system-ui,sans-serif;fill:var(--ink)}\n"
    "svg text.tick,svg text.label{fill:var(--dim)}svg text.cell{font-size:9px}svg text.on{fill:var(--on)}svg text.head{font-weight:600}\n"
    ".grid{stroke:var(--line);stroke-width:.6;fill:none}.axis{stroke:var(--dim);stroke-width:1;fill:none}\n"
    ".limit{stroke:var(--ink);stroke-width:2;fill:none}\n"
    ".line{fill:none;stroke-width:1.8;stroke-linejoin:round}.thin{stroke-width:1.2}.dashed{stroke-dasharray:5 3}\n"
    ".c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}.c5{stroke:var(--c5)}\n"
    ".f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}.f3{fill:var(--c3)}.f4{fill:var(--c4)}.f5{fill:var(--c5)}\n"
    ".plus{fill:var(--plus)}.minus{fill:var(--minus)}.heat{fill:var(--heat);stroke:var(--line);stroke-width:.5}\n";

const char style_page[] =
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:1180px;padding:16px;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5em;line-height:1.25;margin:.4em 0 .1em;overflow-wrap:anywhere}\n"
    "h2{font-size:1.15em;margin:1.8em 0 .5em;border-top:1px solid var(--line);padding-top:.8em}h3{font-size:1em;margin:0 0 "
    ".3em;overflow-wrap:anywhere}\n"
    "p{margin:.3em 0}.dim,figcaption{color:var(--dim)}figcaption{font-size:.88em}\n"
    ".grid2{display:grid;gap:20px;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr))}\n"
    ".grid4{display:grid;gap:16px;grid-template-columns:repeat(auto-fill,minmax(130px,1fr))}.grid4 figcaption{text-align:center}\n"
    ".grid2>*{min-width:0}figure{margin:0;break-inside:avoid}\n"
    "svg{display:block;width:100%;height:auto}svg.plot{max-width:560px}\n"
    "svg.pixels{background:var(--panel);border:1px solid var(--line);max-width:220px;margin:0 auto}\n"
    ".swatch{display:inline-block;width:.8em;height:.8em;margin-right:.35em}.swatch.plus{background:var(--plus)}.swatch.minus{background:"
    "var(--minus)}\n"
    ".cards{display:flex;flex-wrap:wrap;gap:10px;margin:1em 0 0;padding:0;list-style:none}\n"
    ".cards li{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:8px 14px;min-width:130px;max-width:100%}\n"
    ".cards b{display:block;font-size:1.35em;font-weight:600;font-variant-numeric:tabular-nums}.cards "
    "span{color:var(--dim);font-size:.88em}\n"
    "dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px "
    "16px;margin:0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".scroll{overflow-x:auto;max-width:100%}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.93em}\n"
    "th,td{padding:3px 12px 3px 0;text-align:right;white-space:nowrap;border-bottom:1px solid "
    "var(--line)}th{color:var(--dim);font-weight:500}\n"
    "th:first-child,td:first-child{text-align:left;white-space:normal}td.bar{min-width:90px;width:25%}\n"
    ".meter{display:block;height:8px;background:var(--c0);min-width:1px}\n"
    "pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:10px "
    "12px;white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "pre,code{font:13px/1.45 "
    "ui-monospace,monospace}summary{cursor:pointer;color:var(--dim)}footer{margin-top:2em;color:var(--dim);font-size:.88em}\n"
    "@media(max-width:480px){dl{grid-template-columns:1fr}dt{margin-top:.4em}}\n"
    "@media print{body{max-width:none;padding:0}h2{break-after:avoid}details>*{display:block}}\n";
