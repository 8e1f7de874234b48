# Reads a list of files, one a line, and checks each. Comments are blanked first (line numbers stay), and string literals too where a rule
# is about code, so that a message may say "clFinish failed" and a comment may name what is forbidden.

function allow(layer, below,  i, n, part) {
  n = split(layer " " below, part, " ")
  for (i = 1; i <= n; i++) may_include[layer, part[i]] = 1
  is_layer[layer] = 1
}

# Of a room that is part of another: which neighbours' headers it may include beside the outer room's own. All else in a part is private.
function allow_inside(part, below,  i, n, name) {
  n = split(part " " below, name, " ")
  for (i = 1; i <= n; i++) may_include[part, name[i]] = 1
  is_part[part] = 1
}

# Of a layer whose other headers are its own: those that the layers above it may include.
function show_only(layer, headers,  i, n, name) {
  n = split(headers, name, " ")
  for (i = 1; i <= n; i++) is_shown[layer "/" name[i]] = 1
  hides[layer] = 1
}

BEGIN {
  allow("base", "")
  allow("options", "base")
  allow("ranks", "base")
  allow("data", "base")
  allow("opencl", "base")
  allow("compute", "ranks data opencl base")
  allow("optim", "base") # and the seam with what is above it, below
  allow("model", "data base")
  allow("exchange", "model data base")
  allow("inference", "model data ranks base")
  allow("judge", "compute data opencl base")
  allow("train", "optim judge compute model data opencl ranks options base")
  allow("bench", "train optim judge compute model data opencl ranks options base")
  allow("report", "base")
  allow("cli", "report options base")
  allow("examples", "")
  is_layer["include"] = 1
  # Parts of compute: tuning searches for the native backend, and the sharded one is made of several of it.
  allow_inside("compute/native", "")
  allow_inside("compute/blas", "")
  allow_inside("compute/reference", "")
  allow_inside("compute/tune", "compute/native")
  allow_inside("compute/sharded", "compute/tune compute/native")
  # What a data set is made of, its readers and its cache are nobody's business outside.
  show_only("data", "array_file.h dataset.h columns.h shift.h storage.h synthetic.h")
  allow_inside("data/table", "")
  allow_inside("data/libsvm", "data/table") # its text, cut into parts, and the pass over them
  # Parts of cli, all for its commands: what options there are, and how a terminal is written to.
  allow_inside("cli/options", "")
  allow_inside("cli/terminal", "")
  allow_inside("cli/pages", "")
  relaxed = "native_(cos|divide|exp|exp2|exp10|log|log2|log10|powr|recip|rsqrt|sin|sqrt|tan)[ \t]*\\(|half_(exp|log|sqrt|recip|divide|powr)[a-z0-9]*[ \t]*\\(|fast-relaxed-math|finite-math-only|" \
            "unsafe-math|-ffast-math|-Ofast|-cl-mad-enable|-cl-no-signed-zeros|-fassociative-math|-freciprocal-math"
}

function report(line, text) {
  printf "%s:%d: %s\n", file, line, text
  problems++
}

# The line without comments; literals blanked when blank is set. in_comment carries over lines.
function strip(line, blank,  out, i, c, two, quote) {
  out = ""
  quote = ""
  for (i = 1; i <= length(line); i++) {
    c = substr(line, i, 1)
    two = substr(line, i, 2)
    if (in_comment) {
      if (two == "*/") { in_comment = 0; i++; out = out " " }
    } else if (quote != "") {
      if (c == "\\") { if (!blank) out = out two; i++ }
      else if (c == quote) { out = out c; quote = "" }
      else if (!blank) out = out c
    } else if (two == "/*") { in_comment = 1; i++ }
    else if (two == "//") break
    else {
      if (c == "\"" || c == "'") quote = c
      out = out c
    }
  }
  return out
}

function check_include(line, layer, folder, source,  target, part, above) {
  if (match(line, /^[ \t]*#[ \t]*include[ \t]*[<"][^>"]+[>"]/) == 0) return
  target = substr(line, RSTART, RLENGTH)
  sub(/^[^<"]*[<"]/, "", target)
  sub(/[>"]$/, "", target)
  if (target ~ /^clblast/ && layer != "opencl") report(source, "includes <" target ">; CLBlast belongs to host/opencl alone")
  if (target ~ /^CL\// && layer != "opencl") report(source, "includes <" target ">; OpenCL belongs to host/opencl alone")
  if (target ~ /^mpi/ && layer != "ranks") report(source, "includes <" target ">; MPI belongs to host/ranks alone")
  if (line ~ /</) return
  if (target ~ /\.\./) { report(source, "includes \"" target "\"; name it from host/, not with .."); return }
  if (target == "setosa.h" || target == "setosa_bench.h") return
  if ((target == "constants.clh" || target == "fused_sizes.clh" || target == "fused_tensor_sizes.clh") && layer == "compute") return # numbers that kernels and their launchers share
  if (target !~ /\//) { report(source, "includes \"" target "\"; write \"" layer "/" target "\""); return }
  includes[file] = includes[file] " host/" target
  line_of[file, "host/" target] = source
  part = target
  sub(/\/[^\/]*$/, "", part)
  if (part ~ /\// && part in is_part && room != part && !((room, part) in may_include) && part !~ /^cli\//) {
    report(source, "includes \"" target "\", which is private to host/" part)
    return
  }
  above = target
  sub(/\/.*/, "", above)
  if (!(above in is_layer)) { report(source, "includes \"" target "\", which is in no layer of host/"); return }
  if (above in hides && layer != above && !(target in is_shown)) { report(source, "includes \"" target "\", which is private to host/" above); return }
  if (layer == "optim" && (target == "compute/backend.h" || target == "compute/objective.h")) return
  if (layer == "include") { report(source, "the public header includes \"" target "\"; it stands alone"); return }
  if (!((layer, above) in may_include)) report(source, layer " includes \"" target "\", which is not below it")
}

function check_code(code, layer, source) {
  if (layer != "opencl" && code ~ /(^|[^A-Za-z0-9_])cl[A-Z][A-Za-z]+[ \t]*\(/) report(source, "calls the OpenCL API; that belongs to host/opencl alone")
  if (layer != "opencl" && code ~ /(^|[^A-Za-z0-9_])(cl_[a-z0-9_]+|CL_[A-Z][A-Z0-9_]+)/) report(source, "names an OpenCL type or constant; none leaves host/opencl")
  if (layer != "data" && code ~ /(^|[^A-Za-z0-9_])dataset[ \t]*->|\(\*[a-z_.>-]*dataset\)\./) report(source, "looks inside a data set; ask through data/dataset.h")
  if (layer != "data" && code ~ /(^|[^A-Za-z0-9_])(Dataset|SetosaDataset)[ \t]+[a-z_]+[ \t]*[=;,[]|struct[ \t]+SetosaDataset[ \t]*\{/) report(source, "holds a data set by value; use dataset_slice")
  if (layer == "cli" || layer == "examples") return
  if (code ~ /(^|[^A-Za-z0-9_])(printf|puts|putchar|vprintf|perror)[ \t]*\(/) report(source, "prints; a library hands text to a callback or an error")
  if (code ~ /(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)/) report(source, "uses stdout or stderr; a library hands text to a callback or an error")
  if (code ~ /(^|[^A-Za-z0-9_])(exit|_exit|_Exit|quick_exit|abort)[ \t]*\(/) report(source, "ends the process; return a Status")
}

{
  file = $0
  layer = ""
  folder = file
  sub(/\/[^\/]*$/, "", folder)
  if (file ~ /^host\/.*\.[ch]$/) {
    room = folder
    sub(/^host\//, "", room)
    layer = room
    sub(/\/.*/, "", layer)
    if (!(layer in is_layer) || (room ~ /\// && !(room in is_part))) { report(1, "host/" room " is no room of the house"); layer = "?" }
  }
  in_comment = 0
  number = 0
  is_c = file ~ /\.(c|h|cl|clh)$/
  while ((getline text < file) > 0) {
    number++
    was_in_comment = in_comment
    line = is_c ? strip(text, 0) : text
    if (!is_c) sub(/#.*/, "", line)
    if (line ~ relaxed) report(number, "relaxed or native mathematics; results must not depend on it")
    if (is_c && line ~ /#[ \t]*pragma[ \t]+(GCC|clang)[ \t]+optimize/) report(number, "changes optimisation for one file; results must not depend on it")
    if (layer == "" || layer == "?") continue
    if (line ~ /^[ \t]*#[ \t]*include/) { check_include(line, layer, folder, number); continue }
    in_comment = was_in_comment
    check_code(strip(text, 1), layer, number)
  }
  close(file)
  files++
}

# Headers that include each other, by depth-first search: state 1 is on the way, 2 is done.
function visit(name, trail,  targets, n, i) {
  if (state[name] == 2) return
  state[name] = 1
  n = split(includes[name], targets, " ")
  for (i = 1; i <= n; i++) {
    if (state[targets[i]] == 1) {
      file = name
      report(line_of[name, targets[i]], "closes a circle of includes:" trail " " name " " targets[i])
    } else if (targets[i] in includes) visit(targets[i], trail " " name)
  }
  state[name] = 2
}

END {
  for (name in includes) visit(name, "")
  if (files == 0) { print "check_layers: no files to check"; exit 2 }
  if (problems > 0) { printf "%d problems in %d files\n", problems, files; exit 1 }
  printf "%d files, no problem\n", files
}
