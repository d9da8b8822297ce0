# Language, warnings and hardening of every target of this project: nothing here reaches a user's own targets.

include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported()
check_cxx_compiler_flag(-fcf-protection=full VIPAUTH_HAS_CF_PROTECTION)

if(VIPAUTH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(VIPAUTH_CCACHE_PROGRAM ccache)
  if(VIPAUTH_CCACHE_PROGRAM)
    # Without the settings it caches nothing that uses a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${VIPAUTH_CCACHE_PROGRAM}")
  endif()
endif()

set(vipauth_warnings
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Wdeprecated-copy-dtor -Woverloaded-virtual -Wcast-align -Wcast-qual -Wformat=2 -Wimplicit-fallthrough
  -Wundef -Wextra-semi -Wunused
  -Wno-missing-field-initializers)  # {.name = ...} leaves the others at their defaults on purpose
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND vipauth_warnings -Wduplicated-cond -Wduplicated-branches -Wlogical-op)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    list(APPEND vipauth_warnings -Wno-restrict)  # false alarms on "literal" + std::string: GCC bug 105651
  endif()
endif()

set(vipauth_hardening -fstack-protector-strong -D_GLIBCXX_ASSERTIONS)
if(VIPAUTH_HAS_CF_PROTECTION)
  list(APPEND vipauth_hardening -fcf-protection=full)
endif()
if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")  # the sanitizers intercept the same calls
  list(APPEND vipauth_hardening
    "$<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>")
endif()

# Also for targets in C. tests/packaging/hardening.sh shows that what is built has it.
function(vipauth_hardening_options target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE ${vipauth_hardening})
  target_link_options(${target} PRIVATE -Wl,-z,relro,-z,now,-z,noexecstack)
endfunction()

function(vipauth_compiler_options target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE ${vipauth_warnings})
  vipauth_hardening_options(${target})
endfunction()

# Compiles what most sources include anyway once for all of a target; what follows the target's name is in it, too. Each
# source includes what it needs nevertheless: builds of other presets have nothing precompiled.
function(vipauth_precompile target)
  if(VIPAUTH_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <chrono> <cstdint> <functional> <map> <memory> <mutex> <optional> <set> <span>
      <string> <string_view> <unordered_map> <utility> <variant> <vector> ${ARGN})
    vipauth_precompiled_options(${target})
  endif()
endfunction()

# With what is precompiled for a target that is compiled in the same way.
function(vipauth_precompile_as target other)
  if(VIPAUTH_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${other})
    vipauth_precompiled_options(${target})
  endif()
endfunction()

# GCC 12 forgets that what is precompiled are the system's headers, and warns of them.
function(vipauth_precompiled_options target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endfunction()
