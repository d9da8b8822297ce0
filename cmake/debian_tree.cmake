# CPack runs this on the staged files, before they are packed: what Debian's policy asks for beside what is installed.
find_program(gzip gzip REQUIRED)

function(compress file)
  execute_process(COMMAND "${gzip}" -9n -f "${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(seconds $ENV{SOURCE_DATE_EPOCH})
if(seconds)
  execute_process(COMMAND date -R -u -d "@${seconds}" OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
else()
  execute_process(COMMAND date -R -u OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()

# As dh_strip does.
function(strip option)
  if(ARGN)
    execute_process(COMMAND "${CPACK_VIPAUTH_STRIP}" ${option} -D -R .comment -R .note ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
  endif()
endfunction()

foreach(package ${CPACK_COMPONENTS_ALL})
  set(usr "${CPACK_TEMPORARY_DIRECTORY}/${package}/usr")
  set(share "${usr}/share")
  set(doc "${share}/doc/${package}")

  file(COPY_FILE "${CPACK_VIPAUTH_SOURCE_DIR}/CHANGELOG.md" "${doc}/changelog")
  file(WRITE "${doc}/changelog.Debian" "${CPACK_PACKAGE_NAME} (${CPACK_VIPAUTH_DEBIAN_VERSION}) unstable; urgency=medium

  * What changed is in changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
  file(GLOB_RECURSE archives "${usr}/lib/*.a")
  strip(--strip-debug ${archives})
  file(GLOB_RECURSE libraries "${usr}/lib/*.so.${CPACK_PACKAGE_VERSION}")
  strip(--strip-unneeded ${libraries})
  if(EXISTS "${usr}/bin/vctl")
    strip(--strip-all "${usr}/bin/vctl")
  endif()

  compress("${doc}/changelog")
  compress("${doc}/changelog.Debian")

  if(EXISTS "${share}/man/man1/vctl.1")
    compress("${share}/man/man1/vctl.1")
    file(REMOVE "${share}/man/man1/volttron-ctl.1")
    file(CREATE_LINK vctl.1.gz "${share}/man/man1/volttron-ctl.1.gz" SYMBOLIC)
    file(RENAME "${share}/zsh/site-functions" "${share}/zsh/vendor-completions")  # where Debian's zsh looks
  endif()
endforeach()

# Whatever the umask, everybody may read.
execute_process(COMMAND chmod -R u=rwX,go=rX "${CPACK_TEMPORARY_DIRECTORY}" COMMAND_ERROR_IS_FATAL ANY)
