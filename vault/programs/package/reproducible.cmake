# Read by cpack: every time stamp in the package is that of the changelog's newest entry.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/debian/changelog dates REGEX "^ -- ")
  list(GET dates 0 newest)
  string(REGEX REPLACE "^.*>  " "" newest "${newest}")
  execute_process(COMMAND date -d "${newest}" +%s OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{SOURCE_DATE_EPOCH} ${epoch})
endif()
