# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Install rules: headers, package files for CMake (one export set per component, so that a missing dependency
# of one component does not hurt the others), and mars.pc for pkg-config.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(mars_cmake_dir "${CMAKE_INSTALL_DATADIR}/cmake/mars")

install(
  TARGETS mars
  EXPORT marsTargets
  FILE_SET HEADERS)
install(
  EXPORT marsTargets
  NAMESPACE mars::
  DESTINATION "${mars_cmake_dir}")

foreach(component IN LISTS mars_components)
  install(
    TARGETS mars_${component}
    EXPORT mars_${component}Targets
    FILE_SET HEADERS)
  install(
    EXPORT mars_${component}Targets
    NAMESPACE mars::
    DESTINATION "${mars_cmake_dir}")
endforeach()

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/marsConfig.cmake.in" "${PROJECT_BINARY_DIR}/marsConfig.cmake"
  INSTALL_DESTINATION "${mars_cmake_dir}"
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/marsConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion # until 1.0 a minor version may break
  ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/marsConfig.cmake" "${PROJECT_BINARY_DIR}/marsConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/find_onednn.cmake"
        DESTINATION "${mars_cmake_dir}")

# mars.pc finds its prefix from where it lies, so an install tree may be moved.
file(RELATIVE_PATH mars_pc_to_prefix "/prefix/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/prefix")
configure_file("${CMAKE_CURRENT_LIST_DIR}/mars.pc.in" "${PROJECT_BINARY_DIR}/mars.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/mars.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
