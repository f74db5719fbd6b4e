// BlockName.cpp - what a byte of a heap block is called.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A wrong name is worse than none: where notes of one place disagree, the size does not fit, or two types of the name and size differ
// in what they say, nothing is said.
#include "BlockName.h"

#include "llvm/DebugInfo/DWARF/DWARFCompileUnit.h"
#include "llvm/DebugInfo/DWARF/DWARFUnit.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/Path.h"

#include <map>
#include <sstream>

using namespace llvm;

namespace csp
{
namespace
{

using NoteTable = std::map<std::string, std::optional<BlockNote>>; // nullopt: said in two ways

std::vector<std::string> split(const std::string &Line)
{
    std::vector<std::string> Fields(1);
    for (char C : Line)
        if (C == '\t')
            Fields.emplace_back();
        else
            Fields.back() += C;
    return Fields;
}

bool isEqual(const BlockNote &A, const BlockNote &B)
{
    return A.Count == B.Count && A.ElementSize == B.ElementSize && A.Before == B.Before && A.IsRecord == B.IsRecord &&
           A.Type == B.Type && A.Variable == B.Variable;
}

void addLine(NoteTable &Table, const std::string &Line)
{
    std::vector<std::string> F = split(Line);
    if (F.size() != 7 || F[1].size() != 1)
        return;
    BlockNote Note{
        F[1][0], std::strtoull(F[2].c_str(), nullptr, 10), std::strtoull(F[3].c_str(), nullptr, 10), F[4] == "r", F[5],
        F[6]};
    auto [Place, IsNew] = Table.try_emplace(F[0], Note);
    if (!IsNew && Place->second && !isEqual(*Place->second, Note))
        Place->second = std::nullopt;
}

const NoteTable &notesOf(DWARFContext &Context)
{
    static std::map<DWARFContext *, NoteTable> Tables;
    auto [Place, IsNew] = Tables.try_emplace(&Context);
    if (!IsNew)
        return Place->second;
    const object::ObjectFile *File = Context.getDWARFObj().getFile();
    for (const object::SectionRef &Section : File->sections()) {
        Expected<StringRef> Name = Section.getName();
        if (!Name || *Name != ".csp_blocks") {
            if (!Name)
                consumeError(Name.takeError());
            continue;
        }
        Expected<StringRef> Text = Section.getContents();
        if (!Text) {
            consumeError(Text.takeError());
            continue;
        }
        std::istringstream Lines(Text->str());
        for (std::string Line; std::getline(Lines, Line);)
            addLine(Place->second, Line);
    }
    return Place->second;
}

std::string placeOf(const DILineInfo &Frame)
{
    return sys::path::filename(Frame.FileName).str() + ":" + std::to_string(Frame.Line) + ":" +
           std::to_string(Frame.Column);
}

// What all of the types say of these bytes; nullopt: they differ, or there are none.
std::optional<std::string> pathIn(const std::vector<DWARFDie> &Types, uint64_t Offset, uint64_t Bytes)
{
    std::optional<std::string> Result;
    for (const DWARFDie &Type : Types) {
        std::string Path;
        appendPath(Type, Offset, Bytes, Path);
        if (Result && Path != *Result)
            return std::nullopt;
        Result = Path;
    }
    return Result;
}

std::vector<DWARFDie> findTypes(DWARFContext &Context, uint64_t PC, const BlockNote &Note)
{
    if (DWARFCompileUnit *Unit = Context.getCompileUnitForCodeAddress(PC)) {
        std::vector<DWARFDie> Types = typesCalled(*Unit, Note.Type, Note.ElementSize);
        if (!Types.empty())
            return Types;
    }
    std::vector<DWARFDie> All; // the code may have come from another unit (link-time optimization)
    for (const std::unique_ptr<DWARFUnit> &Unit : Context.compile_units()) {
        std::vector<DWARFDie> Types = typesCalled(*Unit, Note.Type, Note.ElementSize);
        All.insert(All.end(), Types.begin(), Types.end());
    }
    return All;
}

} // namespace

bool addCallers(Block &B, DWARFContext &Context, const DIInliningInfo &Frames, uint64_t PC)
{
    const NoteTable &Table = notesOf(Context);
    for (uint32_t I = 0; I < Frames.getNumberOfFrames(); I++) {
        const DILineInfo &Frame = Frames.getFrame(I);
        auto Found = Table.find(placeOf(Frame));
        if (!Frame.Column || Found == Table.end() || !Found->second)
            return false;
        if (Found->second->Count == 'p')
            continue;
        B.Note = Found->second;
        B.Context = &Context;
        B.PC = PC;
        return false;
    }
    return true;
}

// The bytes of a block of structures; nullopt: the size is not what the note says.
static std::optional<std::string> pathOfRecord(const BlockNote &N, const std::vector<DWARFDie> &Types, uint64_t At,
                                               uint64_t Room, uint64_t Bytes)
{
    bool HasFlexible = !Types.empty() && hasFlexibleArray(Types.front());
    bool IsOne = Room == N.ElementSize || (HasFlexible && Room > N.ElementSize && N.Count != 'n');
    bool IsFirst = N.Count == '?' && At + Bytes <= N.ElementSize;
    std::string Prefix = N.Type;
    if (!IsOne && !IsFirst) {
        if (N.Count != 'n' || Room % N.ElementSize || At % N.ElementSize + Bytes > N.ElementSize)
            return std::nullopt;
        Prefix = (N.Variable.empty() ? N.Type : N.Variable) + "[" + std::to_string(At / N.ElementSize) + "]";
        At %= N.ElementSize;
    }
    std::optional<std::string> Member = pathIn(Types, At, Bytes);
    if (!Member || (Member->empty() && N.Count != 'n'))
        return std::nullopt;
    return Prefix + *Member;
}

std::optional<VariableName> nameInBlock(const Block &B)
{
    if (!B.Note || !B.Note->ElementSize || B.Offset < B.Note->Before || B.Offset + B.Bytes > B.Size)
        return std::nullopt;
    const BlockNote &N = *B.Note;
    uint64_t At = B.Offset - N.Before, Room = B.Size - N.Before;
    VariableName Result;
    Result.Name = N.Type;
    Result.Start = B.Offset;
    Result.Size = N.ElementSize;
    if (N.IsRecord) {
        std::optional<std::string> Path = pathOfRecord(N, findTypes(*B.Context, B.PC, N), At, Room, B.Bytes);
        if (!Path)
            return std::nullopt;
        Result.Path = *Path;
        return Result;
    }
    if (Room % N.ElementSize || At % N.ElementSize + B.Bytes > N.ElementSize)
        return std::nullopt;
    Result.Path = N.Variable + "[" + std::to_string(At / N.ElementSize) + "]";
    return Result;
}

} // namespace csp
