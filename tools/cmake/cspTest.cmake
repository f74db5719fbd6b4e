# cspTest.cmake - csp_add_race_test: a CTest test that explores the schedules of a program. Included by find_package(csp).
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   csp_add_race_test(TARGET [NAME name] [COUNT n | TIME 10s] [STRATEGY s] [SEED n] [JOBS n] [TIMEOUT 30s] [BASELINE file]
#                     [ARGS arg ...] [OPTIONS option ...] [LABELS label ...])
#
# Adds the test NAME (default TARGET.race), which is `csp test` of the executable TARGET: COUNT schedules (default 100), or as many
# as fit into TIME. Any finding under any schedule fails it. ARGS are the program's; OPTIONS are more of csp test's; TIMEOUT is that
# of one schedule. Without a SEED it is 1: the test does the same every time, and another SEED is another exploration.
# With CSP_SHARD=i/n in the environment of ctest, each such test does its part of its schedules.
# The findings' schedules are kept in csp-schedules/ below the current binary directory, which their replay commands name.
#
# The target must be built with the detector: it links csp::sanitizer, or is compiled by cspcc or csp++ with
# -fsanitize=cspthread. That is looked at when the directory's CMakeLists.txt has been read, and is an error otherwise.

set(_csp_program "${CMAKE_CURRENT_LIST_DIR}/../../../bin/csp")
cmake_path(NORMAL_PATH _csp_program)

# Whether linking `library` brings the detector, by itself or by what it passes on.
function(_csp_brings_detector library out)
    set(${out} FALSE PARENT_SCOPE)
    if(library STREQUAL "csp::sanitizer")
        set(${out} TRUE PARENT_SCOPE)
    elseif(TARGET ${library})
        get_target_property(passed ${library} INTERFACE_LINK_LIBRARIES)
        get_target_property(flags ${library} INTERFACE_COMPILE_OPTIONS)
        if("${flags}" MATCHES "-fsanitize=[^ ;]*cspthread")
            set(${out} TRUE PARENT_SCOPE)
        endif()
        foreach(next IN LISTS passed)
            _csp_brings_detector("${next}" found)
            if(found)
                set(${out} TRUE PARENT_SCOPE)
            endif()
        endforeach()
    endif()
endfunction()

function(_csp_check_race_test target)
    get_target_property(libraries ${target} LINK_LIBRARIES)
    get_target_property(flags ${target} COMPILE_OPTIONS)
    foreach(config IN ITEMS "" _DEBUG _RELEASE _RELWITHDEBINFO _MINSIZEREL)
        string(APPEND flags " ${CMAKE_C_FLAGS${config}} ${CMAKE_CXX_FLAGS${config}}")
    endforeach()
    if("${flags}" MATCHES "-fsanitize=[^ ;]*cspthread")
        return()
    endif()
    foreach(library IN LISTS libraries)
        _csp_brings_detector("${library}" found)
        if(found)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "csp_add_race_test(${target}): it is not built with the detector, so csp test could not choose its "
        "schedules. Either\n    target_link_libraries(${target} PRIVATE csp::sanitizer)\nwith clang for compiler, or build "
        "the whole project with\n    -DCMAKE_C_COMPILER=cspcc -DCMAKE_CXX_COMPILER=csp++ "
        "-DCMAKE_C_FLAGS=-fsanitize=cspthread -DCMAKE_CXX_FLAGS=-fsanitize=cspthread")
endfunction()

function(csp_add_race_test target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME;COUNT;TIME;STRATEGY;SEED;JOBS;TIMEOUT;BASELINE" "ARGS;OPTIONS;LABELS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "csp_add_race_test(${target}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(arg_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "csp_add_race_test(${target}): no value for ${arg_KEYWORDS_MISSING_VALUES}")
    endif()
    if(NOT TARGET ${target})
        message(FATAL_ERROR "csp_add_race_test(${target}): there is no such target")
    endif()
    if(DEFINED arg_COUNT AND DEFINED arg_TIME)
        message(FATAL_ERROR "csp_add_race_test(${target}): COUNT or TIME, not both")
    endif()
    if(NOT DEFINED arg_NAME)
        set(arg_NAME ${target}.race)
    endif()
    if(NOT DEFINED arg_SEED)
        set(arg_SEED 1)
    endif()
    if(NOT DEFINED arg_JOBS)
        set(arg_JOBS 1)
    endif()
    set(options --seed=${arg_SEED} --jobs=${arg_JOBS})
    foreach(option IN ITEMS COUNT TIME STRATEGY TIMEOUT)
        if(DEFINED arg_${option})
            string(TOLOWER ${option} name)
            list(APPEND options --${name}=${arg_${option}})
        endif()
    endforeach()
    if(DEFINED arg_BASELINE)
        cmake_path(ABSOLUTE_PATH arg_BASELINE BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
        list(APPEND options --baseline=${arg_BASELINE})
    endif()
    add_test(NAME ${arg_NAME} COMMAND ${_csp_program} test ${options} ${arg_OPTIONS} -- $<TARGET_FILE:${target}> ${arg_ARGS})
    set_tests_properties(${arg_NAME} PROPERTIES PROCESSORS ${arg_JOBS})
    if(arg_LABELS)
        set_property(TEST ${arg_NAME} PROPERTY LABELS ${arg_LABELS})
    endif()
    cmake_language(EVAL CODE "cmake_language(DEFER CALL _csp_check_race_test [[${target}]])")
endfunction()
