# Read by cpack when its package is there: dpkg-deb makes it again of the same files, since in CPack's
# folders and archive members have the umask of whoever builds.
foreach(package ${CPACK_PACKAGE_FILES})
  set(files ${package}.files)
  file(REMOVE_RECURSE ${files})
  foreach(command "dpkg-deb;--raw-extract;${package};${files}" "chmod;-R;u=rwX,go=rX;${files}"
                  "dpkg-deb;--root-owner-group;-Zxz;--build;${files};${package}")
    execute_process(COMMAND ${command} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  file(REMOVE_RECURSE ${files})
endforeach()
