add_library(magpie_flags INTERFACE)
target_compile_options(magpie_flags INTERFACE
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wvla -Wwrite-strings -fno-strict-aliasing -fvisibility=hidden
    $<$<CONFIG:Debug>:-Og>)
target_compile_definitions(magpie_flags INTERFACE _GNU_SOURCE
    $<$<CONFIG:Debug>:MP_ARENA_DEBUG>)
target_include_directories(magpie_flags INTERFACE ${PROJECT_SOURCE_DIR}/src
    ${PROJECT_SOURCE_DIR}/include)
if(MAGPIE_SANITIZE)
    target_compile_options(magpie_flags INTERFACE -fsanitize=${MAGPIE_SANITIZE}
        -fno-omit-frame-pointer -fno-sanitize-recover=all -g)
    target_link_options(magpie_flags INTERFACE -fsanitize=${MAGPIE_SANITIZE})
endif()

# magpie_room(name SOURCES a.c ... LINKS libs...): one static library per folder of src/.
function(magpie_room name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
    add_library(mp_${name} STATIC ${arg_SOURCES})
    target_link_libraries(mp_${name} PUBLIC magpie_flags ${arg_LINKS})
    set_property(GLOBAL APPEND PROPERTY MAGPIE_ROOMS mp_${name})
endfunction()

# magpie_test(name LABEL unit SOURCES a.c LINKS mp_x): one cmocka program, one CTest entry.
function(magpie_test name)
    cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;LINKS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_LINKS} PkgConfig::CMOCKA m)
    target_compile_definitions(${name} PRIVATE
        MAGPIE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
        MAGPIE_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
    add_test(NAME ${name} COMMAND ${name})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT}
        SKIP_RETURN_CODE 77
        ENVIRONMENT "MAGPIE_DECODER=$<TARGET_FILE:magpie>;CMOCKA_MESSAGE_OUTPUT=stdout")
endfunction()
