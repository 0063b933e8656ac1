# The language, the warnings and the hardening, once for the whole tree.
#
# Hardening follows the OpenSSF compiler hardening guide; each flag is probed, since GCC 12
# and clang 14 differ. Sanitized builds leave _FORTIFY_SOURCE out: the two do not mix.

include(CheckCCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
check_pie_supported()

# Asserts stay in what a city runs: a broken promise is better noticed than served.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

add_library(vault_flags INTERFACE)
target_include_directories(vault_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(vault_flags INTERFACE
  _GNU_SOURCE OPENSSL_NO_DEPRECATED OPENSSL_API_COMPAT=30000
  VAULT_VERSION="${PROJECT_VERSION}")

target_compile_options(vault_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align
  -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wbad-function-cast -Wnull-dereference -Wvla -Wundef -Wformat=2
  -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types
  -Werror=int-conversion)

function(vault_compile_flag flag)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" name)
  check_c_compiler_flag("${flag}" ${name})
  if(${name})
    target_compile_options(vault_flags INTERFACE ${flag})
  endif()
endfunction()

# Messages are cut to their buffer on purpose: -Wno-format-truncation.
foreach(flag -Wno-format-truncation -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wtrampolines
             -Wbidi-chars=any -fstack-protector-strong -fstack-clash-protection
             -fcf-protection=full -fno-delete-null-pointer-checks -fno-strict-overflow
             -fno-strict-aliasing -ftrivial-auto-var-init=zero -fno-omit-frame-pointer -Wdate-time)
  vault_compile_flag(${flag})
endforeach()

# What a city runs does not tell where or when it was built (tests/integration/reproducible). The
# longer of the two paths last, which counts.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(vault_flags INTERFACE
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=./ -ffile-prefix-map=${CMAKE_BINARY_DIR}=./build)
endif()

foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" name)
  check_linker_flag(C "${flag}" ${name})
  if(${name})
    target_link_options(vault_flags INTERFACE ${flag})
  endif()
endforeach()

if(VAULT_SANITIZE)
  target_compile_options(vault_flags INTERFACE
    -fsanitize=${VAULT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(vault_flags INTERFACE -fsanitize=${VAULT_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(vault_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

if(VAULT_COVERAGE)
  target_compile_definitions(vault_flags INTERFACE VAULT_COVERAGE="${CMAKE_BINARY_DIR}") # where the counts go
  # Counters of threads must not overwrite each other.
  target_compile_options(vault_flags INTERFACE --coverage -fprofile-update=atomic -O0)
  target_link_options(vault_flags INTERFACE --coverage)
endif()

if(VAULT_FUZZ)
  target_compile_options(vault_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
