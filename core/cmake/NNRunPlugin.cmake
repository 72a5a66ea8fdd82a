# nnrun_add_plugin(NAME SOURCES file...): a plugin of nnrun as a shared library nnrun_NAME.so, target nnrun_NAME.
#
#   find_package(NNRun 1 REQUIRED)
#   nnrun_add_plugin(swish SOURCES swish.cpp)
#
# The library sees only nnrun's plugin headers (NNRun::plugin), exports only what NNRUN_PLUGIN exports, and does not link
# while a symbol is missing: better an error here than one when the plugin is loaded. Link further libraries with
# target_link_libraries(nnrun_NAME PRIVATE ...). Where it lands is CMAKE_LIBRARY_OUTPUT_DIRECTORY's matter.
include_guard(GLOBAL)

function(nnrun_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "nnrun_add_plugin(${name}): expected SOURCES file...")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nnrun_add_plugin(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT name MATCHES "^[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "nnrun_add_plugin(${name}): a plugin's name is of a-z, 0-9 and _, for example my_layers")
  endif()

  set(target nnrun_${name})
  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE NNRun::plugin)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES
    PREFIX ""
    OUTPUT_NAME ${target}
    SUFFIX .so
    CXX_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  # clang keeps the sanitizers' runtime in the program, so under it their symbols are missing here by design.
  get_property(link_options TARGET ${target} PROPERTY LINK_OPTIONS)
  if(NOT (CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND "${CMAKE_CXX_FLAGS} ${link_options}" MATCHES "-fsanitize="))
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
endfunction()
