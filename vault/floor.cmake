# vault_floor(NAME MODULES m... [USES floor...] [PARTS target...] [SHOWN_PARTS target...])
#
# One floor is one folder and one static library, vault_NAME: vault/NAME/m.c with its header
# include/vault/NAME/m.h. USES names the floors above that it calls, PARTS the outside libraries.
# Only SHOWN_PARTS, those that stand in the floor's headers, can be included by the floors below.
function(vault_floor name)
  cmake_parse_arguments(FLOOR "" "" "MODULES;USES;PARTS;SHOWN_PARTS" ${ARGN})
  list(TRANSFORM FLOOR_MODULES APPEND .c OUTPUT_VARIABLE sources)
  add_library(vault_${name} STATIC ${sources})
  target_link_libraries(vault_${name} PUBLIC vault_flags)
  foreach(floor ${FLOOR_USES})
    target_link_libraries(vault_${name} PUBLIC vault_${floor})
  endforeach()
  target_link_libraries(vault_${name} PUBLIC ${FLOOR_SHOWN_PARTS} PRIVATE ${FLOOR_PARTS})
  set_property(GLOBAL APPEND PROPERTY VAULT_FLOORS ${name})
endfunction()

# vault_program(NAME SOURCES file... USES floor...)
function(vault_program name)
  cmake_parse_arguments(PROGRAM "" "" "SOURCES;USES;PARTS" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  foreach(floor ${PROGRAM_USES})
    target_link_libraries(${name} PRIVATE vault_${floor})
  endforeach()
  target_link_libraries(${name} PRIVATE vault_flags ${PROGRAM_PARTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()
