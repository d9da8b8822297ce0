# Debian packages: `cpack -G DEB`, or `./dev package`. Each component of the install rules is a package of its name;
# a new rule names one, or the configuration fails.

set(maintainer "vipauth developers <vipauth@example.org>")
set(revision 0vipauth1)  # below Debian's own first, 1
set(debian_version "${PROJECT_VERSION}-${revision}")
math(EXPR next_minor "${PROJECT_VERSION_MINOR} + 1")
set(next_abi "${PROJECT_VERSION_MAJOR}.${next_minor}~")  # before 1.0.0, a minor version may change the ABI
set(debian_dir "${CMAKE_CURRENT_BINARY_DIR}/debian")
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH source_dir)

set(lib_text "authentication and authorization for ZeroMQ message buses
vipauth decides who may connect to a ZeroMQ message bus, under which name a
peer may speak, and what it may call, publish and receive. It works on the
auth.json and protected_topics.json of VOLTTRON.")
set(web_text "certificates over HTTPS for ZeroMQ message buses
vipauth decides who may connect to a ZeroMQ message bus. This part of it takes
requests for certificates from other platforms over HTTPS, lets an
administrator decide on them, and keeps the users of a RabbitMQ broker.")

# ---- The packages ----

# CONTROL: cmake/debian/<file>.in that go to the package manager. TEXT: its first line is the synopsis.
set(CPACK_COMPONENTS_ALL "")
function(vipauth_package name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SECTION;ARCHITECTURE;TEXT" "DEPENDS;RECOMMENDS;SUGGESTS;CONTROL")
  string(TOUPPER ${name} NAME)
  set(package ${name})
  set(control "")
  foreach(file ${arg_CONTROL})
    configure_file("${source_dir}/cmake/debian/${file}.in" "${debian_dir}/${name}/${file}" @ONLY
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    list(APPEND control "${debian_dir}/${name}/${file}")
  endforeach()
  if("shlibs" IN_LIST arg_CONTROL)
    # CPack would write maintainer scripts that call ldconfig, which `triggers` does. It does not where there are some,
    # and leaves out files that are not there.
    list(APPEND control "${debian_dir}/none/postinst" "${debian_dir}/none/postrm")
  endif()
  list(JOIN arg_DEPENDS ", " depends)
  list(JOIN arg_RECOMMENDS ", " recommends)
  list(JOIN arg_SUGGESTS ", " suggests)
  set(CPACK_COMPONENTS_ALL ${CPACK_COMPONENTS_ALL} ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${NAME}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${NAME}_PACKAGE_SECTION ${arg_SECTION} PARENT_SCOPE)
  set(CPACK_DEBIAN_${NAME}_PACKAGE_ARCHITECTURE "${arg_ARCHITECTURE}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${NAME}_PACKAGE_DEPENDS "${depends}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${NAME}_PACKAGE_RECOMMENDS "${recommends}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${NAME}_PACKAGE_SUGGESTS "${suggests}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${NAME}_PACKAGE_CONTROL_EXTRA "${control}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${NAME}_DESCRIPTION "${arg_TEXT}" PARENT_SCOPE)
endfunction()

set(library vipauth)
vipauth_package(libvipauth0 SECTION libs CONTROL shlibs triggers TEXT "${lib_text}

This package has the shared library.")

vipauth_package(libvipauth-dev SECTION libdevel
  DEPENDS "libvipauth0 (= ${debian_version})"
    libzmq3-dev cppzmq-dev libsodium-dev libre2-dev uuid-dev libinih-dev libssl-dev
  TEXT "${lib_text}

This package has the headers, for C++20 and C, the static library, and what
CMake and pkg-config need to find them.")

if(TARGET vipauth_web)
  set(library vipauth_web)
  vipauth_package(libvipauth-web0 SECTION libs CONTROL shlibs triggers
    DEPENDS "libvipauth0 (= ${debian_version})"
    TEXT "${web_text}

This package has the shared library.")

  vipauth_package(libvipauth-web-dev SECTION libdevel
    DEPENDS "libvipauth-web0 (= ${debian_version})" "libvipauth-dev (= ${debian_version})"
      libcpp-httplib-dev libssl-dev
    TEXT "${web_text}

This package has the headers, for C++20, the static library, and what CMake
and pkg-config need to find them.")
endif()

if(TARGET vctl)
  vipauth_package(vctl SECTION admin SUGGESTS bash-completion TEXT "administer the authentication of a ZeroMQ message bus
vctl auth shows, checks and edits who may connect to a VOLTTRON message bus,
what they may call, and which topics are protected, and decides on those who
wait to be let in. It works on the files of the platform's home, or over the
bus of a running platform, and is also installed as volttron-ctl.")
endif()

# Not by `cmake --install`: where Python looks is Debian's business.
set(python_files __init__.py py.typed)
list(TRANSFORM python_files PREPEND "${source_dir}/examples/python/vipauth/")
install(FILES ${python_files} DESTINATION lib/python3/dist-packages/vipauth COMPONENT python3-vipauth EXCLUDE_FROM_ALL)
vipauth_package(python3-vipauth SECTION python ARCHITECTURE all CONTROL postinst prerm
  DEPENDS "libvipauth0 (>= ${PROJECT_VERSION})" "libvipauth0 (<< ${next_abi})" "python3:any (>= 3.9~)"
  RECOMMENDS python3-zmq
  TEXT "${lib_text}

This package has the module for Python 3, which guards servers of pyzmq.")

foreach(package ${CPACK_COMPONENTS_ALL})
  install(FILES "${source_dir}/cmake/debian/copyright" DESTINATION share/doc/${package} COMPONENT ${package}
    EXCLUDE_FROM_ALL)
endforeach()

get_cmake_property(components COMPONENTS)
foreach(component ${components})
  if(NOT component IN_LIST CPACK_COMPONENTS_ALL)
    message(FATAL_ERROR "an install rule is of no package: add COMPONENT to it, one of ${CPACK_COMPONENTS_ALL}; "
      "it has '${component}'")
  endif()
endforeach()

# ---- What they have in common ----

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vipauth)
set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # it would go before those of the packages
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${revision})
set(CPACK_DEBIAN_PACKAGE_SOURCE vipauth)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${CMAKE_CURRENT_BINARY_DIR}/libvipauth")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/debian_tree.cmake")
set(CPACK_VIPAUTH_SOURCE_DIR "${source_dir}")
set(CPACK_VIPAUTH_STRIP "${CMAKE_STRIP}")
set(CPACK_VIPAUTH_DEBIAN_VERSION "${debian_version}")
include(CPack)
