# What `cmake --install` leaves: bin/nnrun, lib/libnnrun.so, lib/nnrun/plugins, include/nnrun, lib/cmake/NNRun, share/nnrun.
# The plugins' own CMakeLists.txt install them. The command looks for them at ../lib/nnrun/plugins, and for the templates of
# `nnrun new` at ../share/nnrun/templates, wherever the libraries and data of this system go.
include(CMakePackageConfigHelpers)

install(TARGETS nnrun RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS nnrun_plugin nnrun_runtime EXPORT NNRunTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/core/include/nnrun DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs DESTINATION share/nnrun FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/tools/nnrun/templates DESTINATION share/nnrun)

set(NNRUN_CMAKE_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/NNRun)
install(EXPORT NNRunTargets NAMESPACE NNRun:: DESTINATION ${NNRUN_CMAKE_DESTINATION})
configure_package_config_file(${PROJECT_SOURCE_DIR}/core/cmake/NNRunConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/NNRunConfig.cmake
  INSTALL_DESTINATION ${NNRUN_CMAKE_DESTINATION})
# ABI 0 may change with every version; once it is 1, SameMajorVersion says what holds.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/NNRunConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/NNRunConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/NNRunConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/core/cmake/NNRunPlugin.cmake DESTINATION ${NNRUN_CMAKE_DESTINATION})
