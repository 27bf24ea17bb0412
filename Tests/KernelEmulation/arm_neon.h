// SPDX-License-Identifier: Apache-2.0
//
// NEON intrinsics from SIMDe, as immintrin.h beside this file.
#ifndef KERNEL_EMULATION_ARM_NEON_H
#define KERNEL_EMULATION_ARM_NEON_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#define SIMDE_NO_NATIVE
#include <simde/arm/neon.h>

static inline __attribute__((always_inline, unused)) float32x4_t emulated_vdivq_f32(float32x4_t a, float32x4_t b) {
    for (int i = 0; i < 4; i++) ((float *)&a)[i] /= ((float *)&b)[i];
    return a;
}
#define vdivq_f32 emulated_vdivq_f32

#endif
