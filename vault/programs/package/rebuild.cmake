# Read by cpack when its package is there: dpkg-deb makes it again of the same files, since in CPack's
# folders and archive members have the umask of whoever builds. SQLCipher's symbols would ask for less
# than the format of its files does, which is that of 4.6 (vault/parts.cmake).
foreach(package ${CPACK_PACKAGE_FILES})
  set(files ${package}.files)
  file(REMOVE_RECURSE ${files})
  execute_process(COMMAND dpkg-deb --raw-extract ${package} ${files} COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${files}/DEBIAN/control control)
  string(REGEX REPLACE "(libsqlcipher[^ ,]*) [(]>= [^)]*[)]" "\\1 (>= 4.6)" control "${control}")
  file(WRITE ${files}/DEBIAN/control "${control}")
  execute_process(COMMAND chmod -R u=rwX,go=rX ${files} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND dpkg-deb --root-owner-group -Zxz --build ${files} ${package}
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE ${files})
endforeach()
