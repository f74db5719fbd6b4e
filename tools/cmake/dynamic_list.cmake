# dynamic_list.cmake - writes the linker's dynamic list of everything that ARCHIVE defines for programs, using NM.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
execute_process(COMMAND ${NM} --extern-only --defined-only --format=posix ${ARCHIVE}
    OUTPUT_VARIABLE lines RESULT_VARIABLE status)
if(status)
    message(FATAL_ERROR "${NM} ${ARCHIVE}: ${status}")
endif()
string(REGEX MATCHALL "[^\n]+" lines "${lines}")
set(names "")
foreach(line IN LISTS lines)
    # "name type value size"; a heading names the archive's member and ends with a colon.
    if(NOT line MATCHES "^([A-Za-z_][A-Za-z0-9_$.]*) [A-Za-z] ")
        continue()
    endif()
    set(name ${CMAKE_MATCH_1})
    # cspi_ and cspr_ are names between our own files.
    if(NOT name MATCHES "^csp[ir]_")
        list(APPEND names ${name})
    endif()
endforeach()
list(SORT names)
if(NOT names)
    message(FATAL_ERROR "${ARCHIVE} defines nothing")
endif()
list(JOIN names ";\n  " body)
file(WRITE ${OUTPUT} "{\n  ${body};\n};\n")
