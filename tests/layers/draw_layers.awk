# Reads a list of files of host/, prints a Mermaid flowchart of their rooms. A room is a folder that holds sources; a part of a room
# (host/compute/native) is drawn inside it. The public headers stand for the library: programs use them, and they offer its topmost rooms.

function add(from, to) {
  room[from] = room[to] = 1
  if (from != to) uses[from, to] = 1
}

# Whether `to` can be reached from `from` by more than the arrow between them.
function detour(from, to, first,  next_room) {
  for (next_room in room)
    if ((from, next_room) in uses && !(first && next_room == to) && !((from, next_room) in seen)) {
      seen[from, next_room] = 1
      if (next_room == to || detour(next_room, to, 0)) return 1
    }
  return 0
}

function id(name) {
  gsub(/[^a-z]/, "_", name)
  return name
}

{
  file = $0
  from = file
  sub(/^host\//, "", from)
  sub(/\/[^\/]*$/, "", from)
  if (from == "include") next
  is_program = from ~ /^(cli|examples|report)/
  sub(/^cli\/.*/, "cli", from)
  while ((getline line < file) > 0) {
    if (line !~ /^[ \t]*#[ \t]*include[ \t]*"/) continue
    to = line
    sub(/^[^"]*"/, "", to)
    sub(/".*/, "", to)
    if (to ~ /^setosa/) {
      if (is_program) add(from, "setosa.h")
      continue
    }
    if (to !~ /\//) continue
    sub(/\/[^\/]*$/, "", to)
    sub(/^cli\/.*/, "cli", to)
    add(from, to)
  }
  close(file)
}

END {
  count = 0
  for (name in room) {
    names[++count] = name
    above = 0
    for (other in room)
      if ((other, name) in uses) above = 1
    if (above || name ~ /^(cli|examples|setosa\.h)$/) continue
    if (name ~ /\//) opened[name] = 1
    else uses["setosa.h", name] = 1
  }
  for (i = 1; i <= count; i++)
    for (j = i + 1; j <= count; j++)
      if (names[j] < names[i]) { swap = names[i]; names[i] = names[j]; names[j] = swap }
  print "```mermaid"
  print "flowchart TD"
  for (i = 1; i <= count; i++) {
    label = names[i]
    if (label ~ /\//) continue
    parts = ""
    for (j = 1; j <= count; j++)
      if (index(names[j], label "/") == 1) parts = parts "    " id(names[j]) "[" substr(names[j], length(label) + 2) "]\n"
    if (parts == "") print "  " id(label) "[" label "]"
    else printf "  subgraph %s_[%s]\n    %s[%s: seam, opening]\n%s  end\n", id(label), label, id(label), label, parts
  }
  for (i = 1; i <= count; i++)
    for (j = 1; j <= count; j++)
      if ((names[i], names[j]) in uses) {
        split("", seen)
        if (!detour(names[i], names[j], 1)) print "  " id(names[i]) " --> " id(names[j])
      }
  for (i = 1; i <= count; i++) {
    outer = names[i]
    sub(/\/.*/, "", outer)
    if (names[i] in opened) print "  " id(outer) " -. opens .-> " id(names[i])
  }
  print "```"
}
