# nnrun_add_plugin(NAME SOURCES file...): a plugin of nnrun as a shared library nnrun_NAME.so, target nnrun_NAME.
#
#   find_package(NNRun REQUIRED)
#   nnrun_add_plugin(swish SOURCES swish.cpp)
#
# nnrun_add_kernels(NAME SOURCES file... [FLAGS flag...] [CPU_FEATURES feature...]): kernels, compiled for one instruction set,
# as nnrun_kernels_NAME.so. FLAGS are for its sources alone. nnrun loads it only where the CPU has all of CPU_FEATURES; their
# names are those of `nnrun kernels`.
#
#   nnrun_add_kernels(my_avx2 SOURCES my_avx2.cpp FLAGS -O3 -mavx2 -mfma CPU_FEATURES avx2 fma)
#
# The library sees only nnrun's plugin headers (NNRun::plugin), exports only what NNRUN_PLUGIN exports, and does not link
# while a symbol is missing: better an error here than one when the plugin is loaded. Link further libraries with
# target_link_libraries(nnrun_NAME PRIVATE ...). Where it lands is CMAKE_LIBRARY_OUTPUT_DIRECTORY's matter.
#
# Where the command nnrun is known (NNRUN_COMMAND; find_package(NNRun) finds it) and enable_testing() came before, there is a
# test check_plugin_NAME, which runs `nnrun check-plugin`.
include_guard(GLOBAL)

function(_nnrun_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;FLAGS;CPU_FEATURES")
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "nnrun plugin ${name}: expected SOURCES file...")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nnrun plugin ${name}: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT name MATCHES "^[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "nnrun plugin ${name}: a plugin's name is of a-z, 0-9 and _, for example my_layers")
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
  target_compile_options(${target} PRIVATE ${arg_FLAGS})
  if(arg_CPU_FEATURES)
    list(JOIN arg_CPU_FEATURES " " features)
    target_compile_definitions(${target} PRIVATE "NNRUN_CPU_FEATURES=\"${features}\"")
  endif()
  # clang keeps the sanitizers' runtime in the program, so under it their symbols are missing here by design.
  get_property(link_options TARGET ${target} PROPERTY LINK_OPTIONS)
  if(NOT (CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND "${CMAKE_CXX_FLAGS} ${link_options}" MATCHES "-fsanitize="))
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
  if(NNRUN_COMMAND)
    add_test(NAME check_plugin_${name} COMMAND ${NNRUN_COMMAND} check-plugin $<TARGET_FILE:${target}>)
  endif()
endfunction()

function(nnrun_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nnrun_add_plugin(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  _nnrun_add_library(${name} SOURCES ${arg_SOURCES})
endfunction()

function(nnrun_add_kernels name)
  _nnrun_add_library(kernels_${name} ${ARGN})
  # A constructor would run while the library is loaded, before nnrun has compared the CPU with CPU_FEATURES.
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(nnrun_kernels_${name} PRIVATE -Werror=global-constructors)
  endif()
endfunction()
