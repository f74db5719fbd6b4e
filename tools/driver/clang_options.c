// clang_options.c - which of clang's options take the next arguments as their values.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver options of clang 22. test/tools/clang-options.test compares the lists with the table in clang's headers.
#include "driver/clang_options.h"

#include <string.h>

#include "common/argv.h"

// clang-format off: one name a line would be 200 lines
// The value is the next argument when the option is written exactly so.
static const char *const value_options[] = {
    "--CLASSPATH", "--analyzer-output", "--assert", "--bootclasspath", "--classpath", "--config", "--define-macro",
    "--dyld-prefix", "--encoding", "--extdirs", "--for-linker", "--force-link", "--imacros", "--include",
    "--include-directory", "--include-directory-after", "--include-prefix", "--include-with-prefix",
    "--include-with-prefix-after", "--include-with-prefix-before", "--language", "--library-directory", "--mhwdiv",
    "--no-system-header-prefix", "--output", "--output-class-directory", "--param", "--prefix", "--print-file-name",
    "--print-prog-name", "--resource", "--rtlib", "--serialize-diagnostics", "--specs", "--std", "--stdlib",
    "--sysroot", "--system-header-prefix", "--undefine-macro", "--vfsoverlay", "-A", "-B", "-D", "-F", "-G", "-I",
    "-L", "-MF", "-MJ", "-MQ", "-MT", "-T", "-U", "-V", "-Xanalyzer", "-Xarch_device", "-Xarch_host", "-Xassembler",
    "-Xclang", "-Xclangas", "-Xcuda-fatbinary", "-Xcuda-ptxas", "-Xlinker", "-Xmicrosoft-visualc-tools-root",
    "-Xmicrosoft-visualc-tools-version", "-Xmicrosoft-windows-sdk-root", "-Xmicrosoft-windows-sdk-version",
    "-Xmicrosoft-windows-sys-root", "-Xopenmp-target", "-Xpreprocessor", "-Zlinker-input", "-alias_list",
    "-allowable_client", "-arch", "-arch_only", "-b", "-bundle_loader", "-ccc-gcc-name", "-ccc-install-dir",
    "-client_name", "-compatibility_version", "-current_version", "-cxx-isystem", "-darwin-target-variant",
    "-darwin-target-variant-triple", "-dependency-dot", "-dependency-file", "-dsym-dir", "-dumpdir", "-dylib_file",
    "-dylinker_install_name", "-e", "-exported_symbols_list", "-fdebug-compilation-dir",
    "-fexperimental-openacc-macro-override", "-filelist", "-fmodule-implementation-of", "-fmodules-user-build-path",
    "-fnew-alignment", "-force_load", "-framework", "-ftrapv-handler", "-gen-cdb-fragment-path", "-hlsl-entry",
    "-iapinotes-modules", "-idirafter", "-iframework", "-iframeworkwithsysroot", "-imacros", "-image_base",
    "-imultilib", "-include", "-include-pch", "-init", "-install_name", "-interface-stub-version=", "-iprefix",
    "-iquote", "-isysroot", "-isystem", "-isystem-after", "-ivfsoverlay", "-iwithprefix", "-iwithprefixbefore",
    "-iwithsysroot", "-l", "-lazy_framework", "-lazy_library", "-meabi", "-mllvm", "-mmlir", "-module-dependency-dir",
    "-mthread-model", "-multiply_defined", "-multiply_defined_unused", "-o", "-object-file-name", "-pagezero_size",
    "-read_only_relocs", "-reexport_framework", "-reexport_library", "-resource-dir", "-rpath", "-seg1addr",
    "-seg_addr_table", "-seg_addr_table_filename", "-segs_read_only_addr", "-segs_read_write_addr",
    "-serialize-diagnostics", "-specs", "-stdlib++-isystem", "-sub_library", "-sub_umbrella", "-target", "-u",
    "-umbrella", "-undefined", "-unexported_symbols_list", "-vfsoverlay", "-weak_framework", "-weak_library",
    "-weak_reference_mismatches", "-working-directory", "-x", "-z",
};
// clang-format on

static const struct {
    const char *name;
    size_t values;
} multi_value_options[] = {
    {"-sectalign", 3}, {"-sectcreate", 3}, {"-sectobjectsymbols", 2}, {"-sectorder", 3},
    {"-segaddr", 2},   {"-segcreate", 3},  {"-segprot", 3},
};

// Options that end in a joined part and take the next argument besides.
static const char *const joined_and_value_options[] = {"-Xarch_", "-Xoffload-linker", "-Xopenmp-target="};

size_t cspt_clang_option_values(const char *arg)
{
    for (size_t i = 0; i < sizeof value_options / sizeof *value_options; i++)
        if (strcmp(arg, value_options[i]) == 0)
            return 1;
    for (size_t i = 0; i < sizeof multi_value_options / sizeof *multi_value_options; i++)
        if (strcmp(arg, multi_value_options[i].name) == 0)
            return multi_value_options[i].values;
    for (size_t i = 0; i < sizeof joined_and_value_options / sizeof *joined_and_value_options; i++)
        if (cspt_starts_with(arg, joined_and_value_options[i]))
            return 1;
    return 0;
}
