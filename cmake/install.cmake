# libmagpie.{a,so}, the header, the pkg-config file, the binary with its man page and completions, the
# documents, and the script that fetches the default model.
get_property(rooms GLOBAL PROPERTY MAGPIE_ROOMS)
list(REMOVE_ITEM rooms mp_config) # of the command line only

set(objects "")
foreach(room ${rooms})
    list(APPEND objects $<TARGET_OBJECTS:${room}>)
endforeach()

# Only the public names leave the library: everything is compiled with hidden visibility.
add_library(magpie_shared SHARED ${objects})
set_target_properties(magpie_shared PROPERTIES OUTPUT_NAME magpie VERSION ${PROJECT_VERSION}
    SOVERSION 0 LINKER_LANGUAGE C)
if(NOT MAGPIE_SANITIZE AND NOT MAGPIE_FUZZ) # Clang leaves the sanitizers' symbols to the program
    target_link_options(magpie_shared PRIVATE -Wl,--no-undefined)
endif()
target_link_libraries(magpie_shared PRIVATE magpie_flags Threads::Threads m dnnl_c
    PkgConfig::VIPS PkgConfig::JPEG PkgConfig::WEBP PkgConfig::SQLITE PkgConfig::SODIUM PkgConfig::JANSSON PkgConfig::SECCOMP
    PkgConfig::ZLIB)
add_library(magpie_static STATIC ${objects})
set_target_properties(magpie_static PROPERTIES OUTPUT_NAME magpie LINKER_LANGUAGE C)

# The pkg-config file finds its prefix from where it lies, so that DESTDIR and a moved tree work.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix /${pc_dir} /)
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/magpie.pc.in ${PROJECT_BINARY_DIR}/magpie.pc @ONLY)

install(TARGETS magpie RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS magpie_shared magpie_static
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/include/magpie.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_BINARY_DIR}/magpie.pc DESTINATION ${pc_dir})
install(PROGRAMS ${PROJECT_SOURCE_DIR}/tools/lite_fetch.py
    DESTINATION ${CMAKE_INSTALL_DATADIR}/magpie)
# Pictures that `magpie model quantize` measures on, with their licence.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/samples DESTINATION ${CMAKE_INSTALL_DATADIR}/magpie
    FILES_MATCHING PATTERN "photo-0??[16].jpg" PATTERN "LICENSE" PATTERN "README.md")
# The web app, where `make web` has built it, and Swagger UI in its docs/, where `make docs-ui` has fetched it.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/build/web
    DESTINATION ${CMAKE_INSTALL_DATADIR}/magpie OPTIONAL)
install(FILES README.md LICENSE magpie.example.toml docs/cli.md docs/json.md docs/dependencies.md
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(documents ${PROJECT_BINARY_DIR}/src/app)
install(FILES ${documents}/magpie.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${documents}/magpie.bash RENAME magpie
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${documents}/_magpie DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${documents}/magpie.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
