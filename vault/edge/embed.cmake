# cmake -D OUT=FILE.c -D ROOT=DIR -D FILES=a|b|c -D HEADER=h -D TABLE=t -P embed.cmake
#
# Writes the files into a C source as bytes, each with a NUL behind it, so that the program carries
# its pages and finds them in memory: the table t, and t_count, as the header h declares them. Names
# are relative to ROOT and in the order of their bytes.
string(REPLACE "|" ";" FILES "${FILES}")
list(SORT FILES COMPARE STRING CASE SENSITIVE)
set(arrays "")
set(table "")
set(index 0)
foreach(name IN LISTS FILES)
  file(READ "${ROOT}/${name}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char file_${index}[] = {${bytes}0};\n")
  string(APPEND table "    {\"${name}\", (const char *)file_${index}, ${size}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUT}" "/* Made by embed.cmake from files: change those. */\n#include \"${HEADER}\"\n\n"
  "${arrays}\nconst struct asset ${TABLE}[] = {\n${table}};\n\n"
  "const size_t ${TABLE}_count = ${index};\n")
