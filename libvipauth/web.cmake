# vipauth_web, a library of its own on the public API of libvipauth: who embeds a bus links neither HTTP nor TLS.
# Two layers: web and, to the right of it, fleet.
file(GLOB web_sources CONFIGURE_DEPENDS src/web/*.cpp src/fleet/*.cpp)
if(NOT web_sources)
  return()
endif()

# The administrator's page and the description of the API are built in.
set(web_assets page.html page.css page.js icon.svg openapi.json)
list(TRANSFORM web_assets PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/src/web/assets/")
set(asset_texts "${CMAKE_CURRENT_BINARY_DIR}/asset_texts.cpp")
add_custom_command(OUTPUT "${asset_texts}"
  COMMAND ${CMAKE_COMMAND} -D "OUTPUT=${asset_texts}" -D "FILES=${web_assets}" -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${web_assets} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)

add_library(vipauth_web_objects OBJECT ${web_sources} "${asset_texts}")
vipauth_compiler_options(vipauth_web_objects)
vipauth_precompile(vipauth_web_objects)
set_target_properties(vipauth_web_objects PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_include_directories(vipauth_web_objects PRIVATE include "${CMAKE_CURRENT_BINARY_DIR}/include" src)
target_link_libraries(vipauth_web_objects PRIVATE PkgConfig::VIPAUTH_WEB_DEPS Threads::Threads)

add_library(vipauth_web SHARED $<TARGET_OBJECTS:vipauth_web_objects>)
add_library(vipauth_web_static STATIC $<TARGET_OBJECTS:vipauth_web_objects>)
foreach(library vipauth_web vipauth_web_static)
  string(REPLACE vipauth_ "" name ${library})
  add_library(vipauth::${name} ALIAS ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
  vipauth_compiler_options(${library})
  target_link_libraries(${library} PRIVATE PkgConfig::VIPAUTH_WEB_DEPS Threads::Threads)
endforeach()
target_link_libraries(vipauth_web PUBLIC vipauth)
target_link_libraries(vipauth_web_static PUBLIC vipauth_static)
set_target_properties(vipauth_web PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
set_target_properties(vipauth_web_static PROPERTIES OUTPUT_NAME vipauth_web)

install(FILES ${web_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vipauth COMPONENT libvipauth-web-dev)
install(TARGETS vipauth_web EXPORT vipauthWebTargets
  LIBRARY COMPONENT libvipauth-web0 NAMELINK_COMPONENT libvipauth-web-dev)
install(TARGETS vipauth_web_static EXPORT vipauthWebStaticTargets ARCHIVE COMPONENT libvipauth-web-dev)
install(EXPORT vipauthWebTargets NAMESPACE vipauth:: DESTINATION ${package_dir} COMPONENT libvipauth-web-dev)
install(EXPORT vipauthWebStaticTargets NAMESPACE vipauth:: DESTINATION ${package_dir} COMPONENT libvipauth-web-dev)
configure_file(${PROJECT_SOURCE_DIR}/cmake/vipauth_web.pc.in vipauth_web.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/vipauth_web.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT libvipauth-web-dev)
