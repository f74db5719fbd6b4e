// nbody.c - planets under gravity: small structs of doubles, every pair in every step; each thread has its own system.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODIES = 5, STEPS = 1000000, THREADS = 2 };

typedef struct body {
    double x, y, z, vx, vy, vz, mass;
} body;

static void advance(body *b, double dt)
{
    for (int i = 0; i < BODIES; i++) {
        for (int j = i + 1; j < BODIES; j++) {
            double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
            double d2 = dx * dx + dy * dy + dz * dz, mag = dt / (d2 * sqrt(d2));
            b[i].vx -= dx * b[j].mass * mag;
            b[i].vy -= dy * b[j].mass * mag;
            b[i].vz -= dz * b[j].mass * mag;
            b[j].vx += dx * b[i].mass * mag;
            b[j].vy += dy * b[i].mass * mag;
            b[j].vz += dz * b[i].mass * mag;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        b[i].x += dt * b[i].vx;
        b[i].y += dt * b[i].vy;
        b[i].z += dt * b[i].vz;
    }
}

static double energy(const body *b)
{
    double e = 0;
    for (int i = 0; i < BODIES; i++) {
        e += 0.5 * b[i].mass * (b[i].vx * b[i].vx + b[i].vy * b[i].vy + b[i].vz * b[i].vz);
        for (int j = i + 1; j < BODIES; j++) {
            double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
            e -= b[i].mass * b[j].mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

static void *simulate(void *arg)
{
    body *b = arg;
    for (int step = 0; step < STEPS; step++)
        advance(b, 0.001);
    return NULL;
}

int main(void)
{
    static body systems[THREADS][BODIES];
    pthread_t t[THREADS];
    for (int k = 0; k < THREADS; k++) {
        for (int i = 0; i < BODIES; i++)
            systems[k][i] =
                (body){i * 3.0, i * (i + k) * 0.5, (i % 2) * 0.1, 0.1 * (i - 2), 0.3 / (i + 1), 0, i ? 0.01 * i : 40};
        pthread_create(&t[k], NULL, simulate, systems[k]);
    }
    for (int k = 0; k < THREADS; k++) {
        pthread_join(t[k], NULL);
        printf("energy %.9f\n", energy(systems[k]));
    }
}
