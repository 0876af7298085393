# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Target mars::dnnl for oneDNN 2, where it is; installed beside marsConfig.cmake, which asks in the same way. Header and
# library are looked for by themselves: oneDNN's own package file wants OpenCL, which a processor does not need.

if(NOT TARGET mars::dnnl)
  find_path(MARS_ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.h)
  find_library(MARS_ONEDNN_LIBRARY dnnl)
  mark_as_advanced(MARS_ONEDNN_INCLUDE_DIR MARS_ONEDNN_LIBRARY)
  if(MARS_ONEDNN_INCLUDE_DIR AND MARS_ONEDNN_LIBRARY)
    file(STRINGS "${MARS_ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" mars_onednn_major
         REGEX "define DNNL_VERSION_MAJOR +2$")
    if(mars_onednn_major)
      add_library(mars::dnnl INTERFACE IMPORTED)
      set_target_properties(
        mars::dnnl PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${MARS_ONEDNN_INCLUDE_DIR}"
                              INTERFACE_LINK_LIBRARIES "${MARS_ONEDNN_LIBRARY};${CMAKE_DL_LIBS}")
    endif()
    unset(mars_onednn_major)
  endif()
endif()
