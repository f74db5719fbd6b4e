// block_names_cxx.cc - as block_names.c for new-expressions; templates' own allocations say nothing of their arguments.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: %check --cc=%cspxx --levels=O0,O2 --procs=1 --status=66 %s
#define INVISIBLE_THREADS
#include "../race/invisible.h"

#include <cstdlib>
#include <memory>
#include <pthread.h>
#include <vector>

namespace shapes
{
struct Point {
    int x, y;
};
class Thing
{
public:
    virtual ~Thing() {}
    long v = 0;
    Point p[2] = {};
};
struct Derived : Thing {
    int extra = 0;
};
} // namespace shapes

shapes::Point *points, *allocated;
shapes::Thing *thing, *derived, *many;
long *numbers;
std::vector<long> elements(10);
std::shared_ptr<shapes::Point> shared;

#define USE(name, place)                                                                                               \
    __attribute__((noinline)) static void name() { place = 1; }
USE(use0, points[3].y)
USE(use1, thing->p[1].x)
USE(use2, static_cast<shapes::Derived *>(derived)->extra)
USE(use3, numbers[5])
USE(use4, elements[3])
USE(use5, shared->y)
USE(use6, many[2].v)
USE(use7, allocated->y)

static void use_all()
{
    use0(), use1(), use2(), use3(), use4(), use5(), use6(), use7();
}

static void *in_thread(void *)
{
    use_all();
    invisible_step();
    return nullptr;
}

int main()
{
    pthread_t t;
    points = new shapes::Point[8];
    thing = new shapes::Thing;
    derived = new shapes::Derived();
    numbers = new long[10];
    shared = std::make_shared<shapes::Point>();
    many = new shapes::Thing[4]; // with a count before them, for their destructors
    allocated = static_cast<shapes::Point *>(std::malloc(sizeof(shapes::Point)));
    pthread_create(&t, nullptr, in_thread, nullptr);
    invisible_wait(1);
    use_all();
    pthread_join(t, nullptr);
    return 0;
}

// CHECK: {{^}}  It is 'points[3].y' (Point), byte 28 of the block.
// CHECK: {{^}}  It is 'Thing.p[1].x' (Thing), byte 24 of the block.
// CHECK: {{^}}  It is 'Derived.extra' (Derived), byte 32 of the block.
// CHECK: {{^}}  It is 'numbers[5]' (long), byte 40 of the block.
// CHECK: {{^}}  The accesses meet at byte 24 of the block.
// CHECK: {{^}}  The accesses meet at byte 20 of the block.
// CHECK: {{^}}  It is 'many[2].v' (Thing), byte 80 of the block.
// CHECK: {{^}}  It is 'Point.y' (Point), byte 4 of the block.
// CHECK: CspThreadSanitizer: reported 8 warnings
