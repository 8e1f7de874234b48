// Run on a page of --report or a picture of bench --plot: a list of what is wrong to the eye.
(() => {
  const problems = [];
  const near = 0.5; // pixels
  const width = document.documentElement.clientWidth || innerWidth;
  if (document.documentElement.scrollWidth > width + 1) problems.push(`scrolls sideways: ${document.documentElement.scrollWidth} > ${width}`);

  // Texts of a picture: apart from each other, and within it.
  const words = (element) => [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("");
  for (const svg of document.querySelectorAll("svg")) {
    if (svg.parentElement && svg.parentElement.closest("svg")) continue;
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map((element) => ({ words: words(element), box: element.getBoundingClientRect() }));
    texts.forEach((one, i) => {
      if (one.box.left < frame.left - near || one.box.right > frame.right + near || one.box.top < frame.top - near || one.box.bottom > frame.bottom + near)
        problems.push(`"${one.words}" leaves its picture`);
      for (const other of texts.slice(i + 1)) {
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (across > near && down > near) problems.push(`"${one.words}" and "${other.words}" overlap`);
      }
    });
    if (!svg.getAttribute("aria-label") && !svg.querySelector(":scope > title")) problems.push("a picture without a name");
  }

  // Text of the page: nothing sticks out of its box but what scrolls by itself.
  for (const element of document.querySelectorAll("h1,h2,h3,p,dd,dt,figcaption,li,pre,summary"))
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0) problems.push(`"${element.textContent.slice(0, 40)}" sticks out`);

  // Contrast of text with what is behind it, as WCAG counts it.
  const channels = (color) => (color.match(/[\d.]+/g) || [0, 0, 0]).map(Number);
  const over = (front, back, alpha) => front.slice(0, 3).map((value, i) => alpha * value + (1 - alpha) * back[i]);
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const paper = channels(document.body ? getComputedStyle(document.body).backgroundColor : getComputedStyle(document.querySelector("rect")).fill);
  for (const text of document.querySelectorAll("svg text")) {
    let back = paper;
    const before = text.previousElementSibling;
    if (text.classList.contains("cell") && before && before.classList.contains("heat"))
      back = over(channels(getComputedStyle(before).fill), paper, Number(before.getAttribute("fill-opacity")));
    const reached = contrast(channels(getComputedStyle(text).fill), back);
    if (reached < (back === paper ? 4.5 : 3.5)) problems.push(`"${words(text)}" has a contrast of ${reached.toFixed(2)}`);
  }
  for (const line of document.querySelectorAll("svg .line"))
    if (contrast(channels(getComputedStyle(line).stroke), paper) < 3) problems.push("a line that is hardly seen");
  for (const element of document.querySelectorAll("p,dt,dd,td,th,figcaption,li span,footer")) {
    const reached = contrast(channels(getComputedStyle(element).color), paper);
    if (reached < 4.5) problems.push(`"${element.textContent.slice(0, 30)}" has a contrast of ${reached.toFixed(2)}`);
  }
  return [...new Set(problems)].slice(0, 20);
})();
