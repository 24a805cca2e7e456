# What Magpie stands on; docs/dependencies.md says why each is here.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(VIPS REQUIRED IMPORTED_TARGET vips>=8.12)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.h REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(dnnl_c INTERFACE)
target_include_directories(dnnl_c INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(dnnl_c INTERFACE ${DNNL_LIBRARY})
# Debian's oneDNN runs on GNU OpenMP, whose threads are bounded per calling thread: two calls of its
# runtime, whatever our own compiler is.
find_library(GOMP_LIBRARY NAMES gomp libgomp.so.1 REQUIRED)
target_link_libraries(dnnl_c INTERFACE ${GOMP_LIBRARY})
