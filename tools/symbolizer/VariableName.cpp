// VariableName.cpp - from an address to a variable, and from an offset in it to members and elements.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a local variable lies is told relative to the frame base, which is a register; where the register stood is told
// relative to the canonical frame address by the unwind table. Variables that live in registers or move are not named:
// what another thread can reach has an address and stays there.
#include "VariableName.h"

#include "llvm/DebugInfo/DWARF/DWARFDebugFrame.h"
#include "llvm/DebugInfo/DWARF/DWARFDie.h"
#include "llvm/DebugInfo/DWARF/DWARFUnit.h"
#include "llvm/DebugInfo/DWARF/LowLevel/DWARFExpression.h"

using namespace llvm;
using namespace llvm::dwarf;

namespace csp
{
namespace
{

constexpr unsigned RegisterRbp = 6, RegisterRsp = 7; // DWARF numbers of the x86-64 psABI
constexpr uint64_t PointerSize = 8;

// --- types -------------------------------------------------------------------------------------------------------------------

DWARFDie typeOf(const DWARFDie &Die)
{
    DWARFDie Type = Die.getAttributeValueAsReferencedDie(DW_AT_type);
    if (!Type) // a definition may leave it to its declaration
        if (DWARFDie Declaration = Die.getAttributeValueAsReferencedDie(DW_AT_specification))
            Type = Declaration.getAttributeValueAsReferencedDie(DW_AT_type);
    if (!Type)
        if (DWARFDie Origin = Die.getAttributeValueAsReferencedDie(DW_AT_abstract_origin))
            Type = Origin.getAttributeValueAsReferencedDie(DW_AT_type);
    return Type ? Type.resolveTypeUnitReference() : Type;
}

// Without names and qualifiers.
DWARFDie plainType(DWARFDie Type)
{
    for (unsigned I = 0; Type && I < 64; I++) {
        switch (Type.getTag()) {
        case DW_TAG_typedef:
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_atomic_type:
        case DW_TAG_restrict_type:
            Type = typeOf(Type);
            continue;
        default:
            return Type;
        }
    }
    return Type;
}

uint64_t sizeOf(DWARFDie Type)
{
    return Type ? Type.getTypeSize(PointerSize).value_or(0) : 0;
}

// An array whose number of elements is told neither by count nor by bound: LLVM takes its size for that of one element.
bool isFlexibleArray(DWARFDie Type)
{
    Type = plainType(Type);
    if (!Type || Type.getTag() != DW_TAG_array_type)
        return false;
    for (const DWARFDie &Child : Type.children())
        if (Child.getTag() == DW_TAG_subrange_type && !Child.find(DW_AT_count) && !Child.find(DW_AT_upper_bound))
            return true;
    return false;
}

void describe(DWARFDie Type, uint64_t Offset, uint64_t Size, std::string &Path);

// Offset of a member in its structure; nullopt: a bit-field, of which several may share a byte.
std::optional<uint64_t> memberOffset(const DWARFDie &Member)
{
    if (Member.find(DW_AT_bit_size) || Member.find(DW_AT_data_bit_offset))
        return std::nullopt;
    std::optional<DWARFFormValue> At = Member.find(DW_AT_data_member_location);
    return At ? At->getAsUnsignedConstant() : std::optional<uint64_t>(0); // none: of a union
}

// Of the members that contain all the bytes the smallest, so that a union shows the one that fits best.
void describeMember(DWARFDie Type, uint64_t Offset, uint64_t Size, std::string &Path)
{
    DWARFDie Best;
    uint64_t BestAt = 0, BestSize = 0;
    for (const DWARFDie &Child : Type.children()) {
        if (Child.getTag() != DW_TAG_member && Child.getTag() != DW_TAG_inheritance)
            continue;
        std::optional<uint64_t> At = memberOffset(Child);
        if (!At || *At > Offset || Child.find(DW_AT_external))
            continue;
        uint64_t MemberSize = sizeOf(typeOf(Child));
        bool IsFlexible = isFlexibleArray(typeOf(Child));
        if (!IsFlexible && Offset + Size > *At + MemberSize)
            continue;
        if (Best && MemberSize >= BestSize)
            continue;
        Best = Child;
        BestAt = *At;
        BestSize = MemberSize;
    }
    if (!Best)
        return;
    if (const char *Name = Best.getShortName(); Name && Best.getTag() == DW_TAG_member)
        Path += std::string(".") + Name;
    describe(typeOf(Best), Offset - BestAt, Size, Path);
}

uint64_t countOf(const DWARFDie &Subrange)
{
    if (std::optional<DWARFFormValue> Count = Subrange.find(DW_AT_count))
        return Count->getAsUnsignedConstant().value_or(0);
    if (std::optional<DWARFFormValue> Last = Subrange.find(DW_AT_upper_bound))
        return Last->getAsUnsignedConstant().value_or(0) + 1;
    return 0;
}

void describeElement(DWARFDie Type, uint64_t Offset, uint64_t Size, std::string &Path)
{
    DWARFDie Element = typeOf(Type);
    uint64_t ElementSize = sizeOf(Element);
    if (!ElementSize)
        return;
    std::vector<uint64_t> Counts;
    for (const DWARFDie &Child : Type.children())
        if (Child.getTag() == DW_TAG_subrange_type)
            Counts.push_back(countOf(Child));
    for (size_t I = 0; I < Counts.size(); I++) {
        uint64_t Stride = ElementSize;
        for (size_t K = I + 1; K < Counts.size(); K++)
            Stride *= Counts[K];
        if (!Stride || Offset % Stride + Size > Stride)
            return; // more than one of them
        Path += "[" + std::to_string(Offset / Stride) + "]";
        Offset %= Stride;
    }
    describe(Element, Offset, Size, Path);
}

// Appends the members and elements that lead to [Offset, Offset + Size) of a Type.
void describe(DWARFDie Type, uint64_t Offset, uint64_t Size, std::string &Path)
{
    Type = plainType(Type);
    if (!Type)
        return;
    switch (Type.getTag()) {
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
        describeMember(Type, Offset, Size, Path);
        break;
    case DW_TAG_array_type:
        describeElement(Type, Offset, Size, Path);
        break;
    default:
        break;
    }
}

// --- variables -----------------------------------------------------------------------------------------------------------------

VariableName nameOf(const DWARFDie &Variable, uint64_t Start, uint64_t Offset, uint64_t Size)
{
    VariableName Result;
    const char *Name = Variable.getShortName();
    Result.Name = Name ? Name : "";
    Result.Path = Result.Name;
    Result.Start = Start;
    Result.Size = sizeOf(typeOf(Variable));
    Result.File = Variable.getDeclFile(DILineInfoSpecifier::FileLineInfoKind::AbsoluteFilePath);
    Result.Line = Variable.getDeclLine();
    describe(typeOf(Variable), Offset, Size, Result.Path);
    return Result;
}

// The place of the variable as one expression that holds everywhere; nullopt: there is none.
std::optional<SmallVector<uint8_t, 16>> wholeLocation(const DWARFDie &Variable, std::optional<uint64_t> PC)
{
    Expected<DWARFLocationExpressionsVector> Locations = Variable.getLocations(DW_AT_location);
    if (!Locations) {
        consumeError(Locations.takeError());
        return std::nullopt;
    }
    for (const DWARFLocationExpression &L : *Locations)
        if (!L.Range || (PC && L.Range->LowPC <= *PC && *PC < L.Range->HighPC))
            return SmallVector<uint8_t, 16>(L.Expr.begin(), L.Expr.end());
    return std::nullopt;
}

std::vector<DWARFExpression::Operation> operationsOf(ArrayRef<uint8_t> Bytes)
{
    std::vector<DWARFExpression::Operation> Result;
    DataExtractor Data(Bytes, true, PointerSize);
    DWARFExpression Expression(Data, PointerSize);
    for (const DWARFExpression::Operation &O : Expression)
        Result.push_back(O);
    return Result;
}

// --- frames ----------------------------------------------------------------------------------------------------------------------

// The register at PC minus the canonical frame address.
std::optional<int64_t> registerFromCfa(DWARFContext &Context, uint64_t PC, unsigned Register)
{
    Expected<const DWARFDebugFrame *> Frames = Context.getEHFrame();
    if (!Frames) {
        consumeError(Frames.takeError());
        return std::nullopt;
    }
    for (const FrameEntry &Entry : **Frames) {
        const auto *Function = dyn_cast<FDE>(&Entry);
        if (!Function || PC < Function->getInitialLocation() ||
            PC >= Function->getInitialLocation() + Function->getAddressRange())
            continue;
        Expected<UnwindTable> Table = createUnwindTable(Function);
        if (!Table) {
            consumeError(Table.takeError());
            return std::nullopt;
        }
        std::optional<int64_t> Result;
        for (const UnwindRow &Row : *Table) {
            if (Row.hasAddress() && Row.getAddress() > PC)
                break;
            const UnwindLocation &Cfa = Row.getCFAValue();
            if (Cfa.getLocation() == UnwindLocation::RegPlusOffset && Cfa.getRegister() == Register)
                Result = -int64_t(Cfa.getOffset());
            else
                Result = std::nullopt;
        }
        return Result;
    }
    return std::nullopt;
}

// The frame base of the function at PC minus the canonical frame address.
std::optional<int64_t> frameBaseFromCfa(DWARFContext &Context, const DWARFDie &Function, uint64_t PC)
{
    std::optional<DWARFFormValue> Base = Function.find(DW_AT_frame_base);
    std::optional<ArrayRef<uint8_t>> Block = Base ? Base->getAsBlock() : std::nullopt;
    if (!Block || Block->empty())
        return std::nullopt;
    switch ((*Block)[0]) {
    case DW_OP_call_frame_cfa:
        return 0;
    case DW_OP_reg6:
        return registerFromCfa(Context, PC, RegisterRbp);
    case DW_OP_reg7:
        return registerFromCfa(Context, PC, RegisterRsp);
    default:
        return std::nullopt;
    }
}

// Where the variable starts, from the canonical frame address.
std::optional<int64_t> startFromCfa(DWARFContext &Context, const DWARFDie &Variable, const DWARFDie &Function,
                                    uint64_t PC)
{
    std::optional<SmallVector<uint8_t, 16>> Where = wholeLocation(Variable, PC);
    if (!Where)
        return std::nullopt;
    std::vector<DWARFExpression::Operation> Operations = operationsOf(*Where);
    if (Operations.empty() || Operations[0].getNumOperands() == 0)
        return std::nullopt;
    std::optional<int64_t> Base;
    if (Operations[0].getCode() == DW_OP_fbreg)
        Base = frameBaseFromCfa(Context, Function, PC);
    else if (Operations[0].getCode() == DW_OP_breg6)
        Base = registerFromCfa(Context, PC, RegisterRbp);
    else if (Operations[0].getCode() == DW_OP_breg7)
        Base = registerFromCfa(Context, PC, RegisterRsp);
    // What follows may only say "the value is behind that pointer", and then the variable is not here.
    if (!Base || Operations.size() != 1)
        return std::nullopt;
    return *Base + int64_t(Operations[0].getRawOperand(0));
}

std::optional<VariableName> findLocal(DWARFContext &Context, const DWARFDie &Scope, const DWARFDie &Function,
                                      uint64_t PC, int64_t Offset, uint64_t Size)
{
    for (const DWARFDie &Child : Scope.children()) {
        Tag T = Child.getTag();
        if (T == DW_TAG_lexical_block || T == DW_TAG_inlined_subroutine) {
            if (std::optional<VariableName> Found = findLocal(Context, Child, Function, PC, Offset, Size))
                return Found;
            continue;
        }
        if (T != DW_TAG_variable && T != DW_TAG_formal_parameter)
            continue;
        std::optional<int64_t> Start = startFromCfa(Context, Child, Function, PC);
        uint64_t Whole = sizeOf(typeOf(Child));
        if (Start && *Start <= Offset && Offset < *Start + int64_t(Whole))
            return nameOf(Child, uint64_t(*Start), uint64_t(Offset - *Start), Size);
    }
    return std::nullopt;
}

// --- all variables of static storage ---------------------------------------------------------------------------------------------

std::optional<VariableName> findThreadLocal(const DWARFDie &Scope, uint64_t Offset, uint64_t Size)
{
    for (const DWARFDie &Child : Scope.children()) {
        Tag T = Child.getTag();
        if (T == DW_TAG_subprogram || T == DW_TAG_lexical_block || T == DW_TAG_namespace ||
            T == DW_TAG_inlined_subroutine) {
            if (std::optional<VariableName> Found = findThreadLocal(Child, Offset, Size))
                return Found;
            continue;
        }
        if (T != DW_TAG_variable)
            continue;
        std::optional<SmallVector<uint8_t, 16>> Where = wholeLocation(Child, std::nullopt);
        std::vector<DWARFExpression::Operation> Operations =
            Where ? operationsOf(*Where) : std::vector<DWARFExpression::Operation>();
        if (Operations.size() != 2 || Operations[0].getNumOperands() == 0 ||
            (Operations[1].getCode() != DW_OP_GNU_push_tls_address &&
             Operations[1].getCode() != DW_OP_form_tls_address))
            continue;
        uint64_t Start = Operations[0].getRawOperand(0), Whole = sizeOf(typeOf(Child));
        if (Operations[0].getCode() == DW_OP_addrx || Operations[0].getCode() == DW_OP_GNU_const_index ||
            Operations[0].getCode() == DW_OP_constx) {
            std::optional<object::SectionedAddress> Address =
                Child.getDwarfUnit()->getAddrOffsetSectionItem(uint32_t(Start));
            if (!Address)
                continue;
            Start = Address->Address;
        }
        if (Start <= Offset && Offset < Start + Whole)
            return nameOf(Child, Start, Offset - Start, Size);
    }
    return std::nullopt;
}

} // namespace

std::optional<VariableName> nameGlobal(DWARFContext &Context, uint64_t Address, uint64_t Size)
{
    for (const std::unique_ptr<DWARFUnit> &Unit : Context.compile_units()) {
        DWARFDie Variable = Unit->getVariableForAddress(Address);
        if (!Variable)
            continue;
        std::optional<SmallVector<uint8_t, 16>> Where = wholeLocation(Variable, std::nullopt);
        std::vector<DWARFExpression::Operation> Operations =
            Where ? operationsOf(*Where) : std::vector<DWARFExpression::Operation>();
        if (Operations.empty() || Operations[0].getNumOperands() == 0)
            return std::nullopt;
        uint64_t Start = Operations[0].getRawOperand(0);
        if (Operations[0].getCode() == DW_OP_addrx) {
            std::optional<object::SectionedAddress> At = Unit->getAddrOffsetSectionItem(uint32_t(Start));
            if (!At)
                return std::nullopt;
            Start = At->Address;
        }
        if (Operations.size() == 2 && Operations[1].getCode() == DW_OP_plus_uconst)
            Start += Operations[1].getRawOperand(0);
        if (Start > Address)
            return std::nullopt;
        return nameOf(Variable, Start, Address - Start, Size);
    }
    return std::nullopt;
}

std::optional<VariableName> nameLocal(DWARFContext &Context, uint64_t PC, int64_t Offset, uint64_t Size)
{
    DWARFDie Function = Context.getDIEsForAddress(PC).FunctionDIE;
    while (Function && Function.getTag() != DW_TAG_subprogram) // inlined: the frame is that of the function around it
        Function = Function.getParent();
    return Function ? findLocal(Context, Function, Function, PC, Offset, Size) : std::nullopt;
}

std::optional<VariableName> nameThreadLocal(DWARFContext &Context, uint64_t Offset, uint64_t Size)
{
    for (const std::unique_ptr<DWARFUnit> &Unit : Context.compile_units())
        if (std::optional<VariableName> Found = findThreadLocal(Unit->getUnitDIE(false), Offset, Size))
            return Found;
    return std::nullopt;
}

void appendPath(DWARFDie Type, uint64_t Offset, uint64_t Size, std::string &Path)
{
    describe(Type, Offset, Size, Path);
}

bool hasFlexibleArray(DWARFDie Type)
{
    DWARFDie Last;
    for (const DWARFDie &Child : plainType(Type).children())
        if (Child.getTag() == DW_TAG_member)
            Last = Child;
    return Last && isFlexibleArray(typeOf(Last));
}

static void collectTypes(const DWARFDie &Scope, const std::string &Name, uint64_t Size, std::vector<DWARFDie> &Found)
{
    for (const DWARFDie &Child : Scope.children()) {
        switch (Child.getTag()) {
        case DW_TAG_structure_type:
        case DW_TAG_class_type:
        case DW_TAG_union_type:
        case DW_TAG_typedef:
            if (const char *Called = Child.getShortName();
                Called && Name == Called && !Child.find(DW_AT_declaration) && sizeOf(Child) == Size)
                Found.push_back(Child);
            [[fallthrough]];
        case DW_TAG_namespace:
        case DW_TAG_subprogram:
        case DW_TAG_lexical_block:
            collectTypes(Child, Name, Size, Found);
            break;
        default:
            break;
        }
    }
}

std::vector<DWARFDie> typesCalled(DWARFUnit &Unit, const std::string &Name, uint64_t Size)
{
    std::vector<DWARFDie> Found;
    collectTypes(Unit.getUnitDIE(false), Name, Size, Found);
    return Found;
}

} // namespace csp
