# The outside libraries, each asked for once, with the oldest version that is known to work.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(crypto REQUIRED IMPORTED_TARGET libcrypto>=3.0)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(argon2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(gnutls REQUIRED IMPORTED_TARGET gnutls>=3.7)
pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_check_modules(p11kit REQUIRED p11-kit-1>=0.23)
pkg_check_modules(fido2 REQUIRED IMPORTED_TARGET libfido2>=1.12)
pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET libqrencode>=4.0)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp>=2.5)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl>=7.88)

# passwdqc has no .pc file on Debian 12.
find_path(passwdqc_INCLUDE_DIR passwdqc.h REQUIRED)
find_library(passwdqc_LIBRARY passwdqc REQUIRED)
add_library(passwdqc UNKNOWN IMPORTED)
set_target_properties(passwdqc PROPERTIES IMPORTED_LOCATION ${passwdqc_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${passwdqc_INCLUDE_DIR})

# sqlcipher.pc gives the version of SQLite inside: 3.46 is SQLCipher 4.6. Debian 12's main suite
# has SQLCipher 3.4.1 (SQLite 3.15), whose format and defaults are of another age.
pkg_check_modules(sqlcipher IMPORTED_TARGET sqlcipher>=3.46)
if(NOT sqlcipher_FOUND)
  message(FATAL_ERROR
    "SQLCipher 4.6 or newer is needed. On Debian 12 it is in bookworm-backports: "
    "run '.ci/install build' as root, or add that suite to apt and run "
    "'apt-get install -t bookworm-backports libsqlcipher-dev'. Debian 13 has it in main.")
endif()
target_compile_definitions(PkgConfig::sqlcipher INTERFACE SQLITE_HAS_CODEC)
