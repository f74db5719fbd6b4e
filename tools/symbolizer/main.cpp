// main.cpp - csp-symbolizer: answers the detector's questions about addresses; one line asks, an empty line ends the answer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   CODE "module" address                    function \n file:line:column \n for each inlined frame, as llvm-symbolizer does
//   FRAMES "module" address                  the same, and after each location a line @line: where the function begins, 0: not known
//   DATA "module" address                    name \n start size \n, as llvm-symbolizer does
//   GLOBAL "module" address size             name \n path \n start size \n file:line \n, from debug information; nothing: not known
//   LOCAL "module" pc offset size            the same; the bytes at this offset from the canonical frame address of pc's function
//   TLS "module" offset size                 the same; the bytes at this offset in the module's thread-local block
//   BLOCK size offset bytes "module" pc "module" pc ...
//                                            the same for these bytes of a heap block, whose allocation was called from there,
//                                            innermost first; start is the offset
//   ECHO anything                            the line itself: what comes after it answers what was asked after it
//
// It is a process of its own since reading debug information takes memory and locks that must not be the checked program's.
#include "BlockName.h"
#include "VariableName.h"

#include "llvm/DebugInfo/DIContext.h"
#include "llvm/DebugInfo/Symbolize/Symbolize.h"
#include "llvm/Object/ObjectFile.h"

#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>

using namespace llvm;

namespace
{

struct Module {
    object::OwningBinary<object::ObjectFile> File;
    std::unique_ptr<DWARFContext> Context;
};

// NULL: no object file.
DWARFContext *contextOf(const std::string &Path)
{
    static std::map<std::string, Module> Modules;
    auto [Place, IsNew] = Modules.try_emplace(Path);
    if (!IsNew)
        return Place->second.Context.get();
    Expected<object::OwningBinary<object::ObjectFile>> File = object::ObjectFile::createObjectFile(Path);
    if (!File) {
        consumeError(File.takeError());
        return nullptr;
    }
    Place->second.File = std::move(*File);
    Place->second.Context = DWARFContext::create(*Place->second.File.getBinary());
    return Place->second.Context.get();
}

std::string known(const std::string &Text)
{
    return Text.empty() || Text == DILineInfo::BadString ? std::string("??") : Text;
}

void answerCode(symbolize::LLVMSymbolizer &Symbolizer, const std::string &Path, uint64_t Address, bool WithStart,
                std::ostream &Out)
{
    Expected<DIInliningInfo> Frames =
        Symbolizer.symbolizeInlinedCode(Path, {Address, object::SectionedAddress::UndefSection});
    if (!Frames) {
        consumeError(Frames.takeError());
        Out << "??\n??:0:0\n";
        return;
    }
    if (Frames->getNumberOfFrames() == 0)
        Out << "??\n??:0:0\n";
    for (uint32_t I = 0; I < Frames->getNumberOfFrames(); I++) {
        const DILineInfo &Frame = Frames->getFrame(I);
        Out << known(Frame.FunctionName) << "\n"
            << known(Frame.FileName) << ":" << Frame.Line << ":" << Frame.Column << "\n";
        if (WithStart)
            Out << "@" << Frame.StartLine << "\n";
    }
}

void answerData(symbolize::LLVMSymbolizer &Symbolizer, const std::string &Path, uint64_t Address, std::ostream &Out)
{
    Expected<DIGlobal> Global = Symbolizer.symbolizeData(Path, {Address, object::SectionedAddress::UndefSection});
    if (!Global) {
        consumeError(Global.takeError());
        Out << "??\n0 0\n";
        return;
    }
    Out << known(Global->Name) << "\n" << Global->Start << " " << Global->Size << "\n";
}

void answerVariable(const std::optional<csp::VariableName> &V, std::ostream &Out)
{
    if (V && !V->Name.empty())
        Out << V->Name << "\n"
            << V->Path << "\n"
            << V->Start << " " << V->Size << "\n"
            << known(V->File) << ":" << V->Line << "\n";
}

// The text in quotes at the start of Line, which is cut off.
std::string takeQuoted(std::string &Line)
{
    size_t From = Line.find('"'), To = From == std::string::npos ? From : Line.find('"', From + 1);
    if (To == std::string::npos)
        return {};
    std::string Text = Line.substr(From + 1, To - From - 1);
    Line.erase(0, To + 1);
    return Text;
}

void answerBlock(symbolize::LLVMSymbolizer &Symbolizer, std::string Line, std::ostream &Out)
{
    std::istringstream Words(Line.substr(Line.find(' ')));
    csp::Block Block{};
    Words >> Block.Size >> Block.Offset >> Block.Bytes;
    while (Line.find('"') != std::string::npos) {
        std::string Path = takeQuoted(Line);
        uint64_t Address = std::strtoull(Line.c_str(), nullptr, 0);
        DWARFContext *Context = contextOf(Path);
        Expected<DIInliningInfo> Frames =
            Symbolizer.symbolizeInlinedCode(Path, {Address, object::SectionedAddress::UndefSection});
        if (!Frames)
            consumeError(Frames.takeError());
        else if (Context && !csp::addCallers(Block, *Context, *Frames, Address))
            break;
    }
    answerVariable(csp::nameInBlock(Block), Out);
}

void answer(symbolize::LLVMSymbolizer &Symbolizer, std::string Line, std::ostream &Out)
{
    std::string Command = Line.substr(0, Line.find(' '));
    if (Command == "BLOCK")
        return answerBlock(Symbolizer, Line, Out);
    if (Command == "ECHO") {
        Out << Line << '\n';
        return;
    }
    std::string Path = takeQuoted(Line);
    std::istringstream Numbers(Line);
    std::string Word;
    uint64_t Number[3] = {0, 0, 1};
    for (uint64_t &N : Number)
        if (Numbers >> Word)
            N = Word[0] == '-' ? -std::strtoull(Word.c_str() + 1, nullptr, 0) : std::strtoull(Word.c_str(), nullptr, 0);
    if (Command == "CODE" || Command == "FRAMES")
        return answerCode(Symbolizer, Path, Number[0], Command == "FRAMES", Out);
    if (Command == "DATA")
        return answerData(Symbolizer, Path, Number[0], Out);
    DWARFContext *Context = contextOf(Path);
    if (!Context)
        return;
    if (Command == "GLOBAL")
        answerVariable(csp::nameGlobal(*Context, Number[0], Number[1]), Out);
    else if (Command == "LOCAL")
        answerVariable(csp::nameLocal(*Context, Number[0], int64_t(Number[1]), Number[2]), Out);
    else if (Command == "TLS")
        answerVariable(csp::nameThreadLocal(*Context, Number[0], Number[1]), Out);
}

} // namespace

int main()
{
    symbolize::LLVMSymbolizer::Options Options;
    symbolize::LLVMSymbolizer Symbolizer(Options);
    std::string Line;
    while (std::getline(std::cin, Line)) {
        std::ostringstream Out;
        answer(Symbolizer, Line, Out);
        std::string Text = Out.str();
        if (Text.empty())
            Text = "\n"; // an answer that says nothing is an empty line of its own
        Text += "\n";
        std::fwrite(Text.data(), 1, Text.size(), stdout);
        std::fflush(stdout);
    }
    return 0;
}
