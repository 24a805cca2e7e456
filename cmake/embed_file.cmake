# Writes OUT, a C file with the bytes of IN: `const uint8_t NAME[]` and `const size_t NAME_bytes`, as HEADER
# declares them.
file(READ "${IN}" hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${lines}")
get_filename_component(name "${IN}" NAME)
file(WRITE "${OUT}" "/* Made from ${name} by embed_file.cmake. */
#include \"${HEADER}\"

const uint8_t ${NAME}[] = {
${bytes}};
const size_t ${NAME}_bytes = sizeof ${NAME};
")
