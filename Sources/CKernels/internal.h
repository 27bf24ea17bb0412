// SPDX-License-Identifier: Apache-2.0
//
// What the translation units of this target share: block layouts of the files, the packed layout, the dispatch table.
#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H

#include "CKernels.h"
#include <string.h>

#define CK_INLINE static inline __attribute__((always_inline))

// Compiles the functions between the two for an instruction set. CK_EMULATED builds define intrinsics in portable C
// (Tests/KernelEmulation), which the compiler must not turn back into the instructions that are emulated.
#define CK_PRAGMA(text) _Pragma(#text)
#ifdef CK_EMULATED
#define CK_BEGIN_TARGET(features)
#define CK_END_TARGET
#else
#define CK_BEGIN_TARGET(features)                                                                                     \
    CK_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define CK_END_TARGET CK_PRAGMA(clang attribute pop)
#endif

// --- File layouts (GGUF) ---------------------------------------------------------------------------------------------

typedef struct { uint16_t d; uint8_t qs[16]; } ck_block_q4_0;
typedef struct { uint16_t d, m; uint8_t qs[16]; } ck_block_q4_1;
typedef struct { uint16_t d; uint8_t qh[4]; uint8_t qs[16]; } ck_block_q5_0;
typedef struct { uint16_t d, m; uint8_t qh[4]; uint8_t qs[16]; } ck_block_q5_1;
typedef struct { uint16_t d; int8_t qs[32]; } ck_block_q8_0;
typedef struct { uint16_t d, dmin; uint8_t scales[12]; uint8_t qs[128]; } ck_block_q4_k;
typedef struct { uint16_t d, dmin; uint8_t scales[12]; uint8_t qh[32]; uint8_t qs[128]; } ck_block_q5_k;
typedef struct { uint8_t ql[128]; uint8_t qh[64]; int8_t scales[16]; uint16_t d; } ck_block_q6_k;
typedef struct { uint8_t scales[16]; uint8_t qs[64]; uint16_t d, dmin; } ck_block_q2_k;
typedef struct { uint8_t hmask[32]; uint8_t qs[64]; uint8_t scales[12]; uint16_t d; } ck_block_q3_k;
typedef struct { uint16_t d; uint8_t qs[16]; } ck_block_iq4_nl;
typedef struct { uint16_t d, scales_h; uint8_t scales_l[4]; uint8_t qs[128]; } ck_block_iq4_xs;

// --- Packed layout ---------------------------------------------------------------------------------------------------
//
// A group is 16 rows. For each block of 32 columns the columns form 8 chunks of 4. A "line" is 64 bytes: byte 4 r + j
// belongs to row r and column 4 c + j of its chunk c.
//
//   quants, per block:
//     2-bit (Q2_K)    2 lines: bits 2 p, 2 p + 1 of the first are chunk p, of the second chunk p + 4
//     3-bit (Q3_K)    the same 2 lines, then one line whose bit c is the third bit of chunk c
//     4-bit formats   4 lines; line p holds chunk p in the low nibbles and chunk p + 4 in the high nibbles
//     5-bit formats   the same 4 lines, then one line whose bit c is the fifth bit of chunk c
//     6-bit (Q6_K)    the same 4 lines, then two lines: bits 2 p, 2 p + 1 of the first are the top bits of chunk p, of the
//                     second those of chunk p + 4
//     8-bit (Q8_0)    8 lines, signed
//   scales, per block of 32 columns:
//     Q4_0 Q5_0 Q8_0  16 x f16 d                             w = d (q - offset), offset 8, 16, 0
//     IQ4_NL          16 x f16 d                             w = d value[q]
//     Q4_1 Q5_1       16 x f16 d, 16 x f16 m                 w = d q + m
//     Q4_K Q5_K       16 x u8 scale, 16 x u8 min             w = d scale q - dmin min
//     Q6_K Q3_K       16 x (i8 scale of columns 0-15, i8 scale of columns 16-31)      w = d scale (q - offset),
//                     offset 32, 4
//     Q2_K            16 x (u4 scale, u4 min of columns 0-15, u4 scale, u4 min of columns 16-31)
//                                                            w = d scale q - dmin min
//     IQ4_XS          16 x i8 scale                          w = d scale value[q]
//   super, per 256 columns of the K formats:
//     Q2_K Q4_K Q5_K  16 x f16 d, 16 x f16 dmin
//     others          16 x f16 d
//
// The three regions of a group follow one another: all quants, all scales, all supers.

enum { CK_SCALE_D = 0, CK_SCALE_DM = 1, CK_SCALE_K = 2, CK_SCALE_K6 = 3, CK_SCALE_K2 = 4, CK_SCALE_KS = 5 };

typedef struct ck_layout {
    size_t blocks;         // k / 32
    size_t quant_bytes;    // per block
    size_t scale_bytes;    // per block
    size_t super_bytes;    // per 8 blocks, 0 where the format has none
    size_t scales_offset;  // in the group
    size_t supers_offset;  // in the group
    size_t group_bytes;
} ck_layout;

/// Index of a quantized format in the tables below.
enum { CK_SLOT_Q4_0, CK_SLOT_Q4_1, CK_SLOT_Q5_0, CK_SLOT_Q5_1, CK_SLOT_Q8_0, CK_SLOT_Q4_K, CK_SLOT_Q5_K, CK_SLOT_Q6_K,
       CK_SLOT_Q2_K, CK_SLOT_Q3_K, CK_SLOT_IQ4_NL, CK_SLOT_IQ4_XS, CK_SLOTS };

/// Bits per quant, kind of scale and integer offset by slot: compile-time constants in the templates.
CK_INLINE int ck_slot_bits(int slot) {
    return slot == CK_SLOT_Q8_0 ? 8 : slot == CK_SLOT_Q6_K ? 6 : slot == CK_SLOT_Q2_K ? 2 : slot == CK_SLOT_Q3_K ? 3
        : (slot == CK_SLOT_Q5_0 || slot == CK_SLOT_Q5_1 || slot == CK_SLOT_Q5_K) ? 5 : 4;
}
CK_INLINE int ck_slot_scale(int slot) {
    return (slot == CK_SLOT_Q4_1 || slot == CK_SLOT_Q5_1) ? CK_SCALE_DM
        : (slot == CK_SLOT_Q4_K || slot == CK_SLOT_Q5_K) ? CK_SCALE_K
        : (slot == CK_SLOT_Q6_K || slot == CK_SLOT_Q3_K) ? CK_SCALE_K6
        : slot == CK_SLOT_Q2_K ? CK_SCALE_K2 : slot == CK_SLOT_IQ4_XS ? CK_SCALE_KS : CK_SCALE_D;
}
/// Whether the quants are indices of `ck_iq4_values`.
CK_INLINE bool ck_slot_is_table(int slot) { return slot == CK_SLOT_IQ4_NL || slot == CK_SLOT_IQ4_XS; }
/// Whether the columns 0-15 and 16-31 of a block have scales of their own.
CK_INLINE bool ck_slot_is_split(int slot) {
    return ck_slot_scale(slot) == CK_SCALE_K6 || ck_slot_scale(slot) == CK_SCALE_K2;
}
/// Whether a block's half-precision scales lie with its other scales, not with those of 8 blocks.
CK_INLINE bool ck_slot_is_flat(int slot) {
    return ck_slot_scale(slot) == CK_SCALE_D || ck_slot_scale(slot) == CK_SCALE_DM;
}
/// What CK_SCALE_K6 takes from the quants, as a power of two.
CK_INLINE int ck_slot_shift(int slot) { return slot == CK_SLOT_Q6_K ? 5 : 2; }
CK_INLINE int ck_slot_offset(int slot) { return slot == CK_SLOT_Q4_0 ? 8 : slot == CK_SLOT_Q5_0 ? 16 : 0; }

/// The values of IQ4_NL's and IQ4_XS's quants.
extern const int8_t ck_iq4_values[16];
/// The same and 128 more, for products that take unsigned quants.
extern const uint8_t ck_iq4_raised[16];

/// -1 if the format is not quantized.
int ck_slot(ck_format format);
ck_layout ck_layout_for(int slot, size_t k);

// --- Quantized activations -------------------------------------------------------------------------------------------
//
// One row: k int8, then per block of 32: f32 scale, then per block f32 scale * sum, then per block two int16 sums of the
// columns 0-15 and 16-31.

CK_INLINE const float *ck_act_scales(const uint8_t *row, size_t blocks) { return (const float *)(row + blocks * 32); }
CK_INLINE const float *ck_act_sums(const uint8_t *row, size_t blocks) { return (const float *)(row + blocks * 36); }
CK_INLINE const int16_t *ck_act_halves(const uint8_t *row, size_t blocks) {
    return (const int16_t *)(row + blocks * 40);
}

/// A block whose largest magnitude is no more than this becomes zeros: its inverse scale would overflow.
#define CK_SMALLEST_ACTIVATION 1e-35f

/// gelu(t) = t / 2 (1 + tanh(factor t (1 + cubic t^2))), factor = sqrt(2 / pi).
#define CK_GELU_FACTOR 0.79788456080286535588f
#define CK_GELU_CUBIC 0.044715f

// --- Dispatch --------------------------------------------------------------------------------------------------------

/// Computes 16 weight rows x a fixed number of activation rows: out[i * out_stride + r].
typedef void (*ck_tile_function)(const ck_layout *layout, const uint8_t *group, const uint8_t *activations,
                                 size_t activation_stride, float *out, size_t out_stride);

enum { CK_MAX_TILE = 8 };

/// Multiplies `panels` times CK_PANEL_ROWS activation rows by weight rows [row_begin, row_end) of the packed matrix.
typedef void (*ck_panel_function)(const ck_layout *layout, const uint8_t *packed, const uint8_t *activations,
                                  size_t activation_stride, size_t panels, size_t row_begin, size_t row_end, float *out,
                                  size_t out_stride);

enum { CK_PANEL_ROWS = 8 };

/// How far ahead of its use a decode product asks for weights.
enum { CK_PREFETCH_BYTES = 4096 };

typedef struct ck_table {
    /// Activation rows of the largest tile of each format; tiles exist for 1 ... that number.
    size_t tile_rows[CK_SLOTS];
    ck_tile_function tile[CK_SLOTS][CK_MAX_TILE];
    /// For many activation rows, or null where tiles are as fast.
    ck_panel_function panel[CK_SLOTS];
    void (*quantize_row)(const float *x, size_t k, uint8_t *row);
    void (*matmul_float)(ck_format format, const void *weights, size_t k, const float *x, size_t x_stride, size_t m,
                         size_t row_begin, size_t row_end, float *out, size_t out_stride);
    void (*attend)(const ck_attention *attention, void *scratch);
    void (*rms_norm)(const float *x, const float *weight, float epsilon, float *out, size_t n);
    void (*rope_adjacent)(float *x, const float *table, size_t heads, size_t head_size, size_t rotated);
    void (*rope_halves)(float *x, const float *table, size_t heads, size_t head_size, size_t rotated);
    void (*softmax)(float *x, size_t n);
    void (*silu_multiply)(const float *gate, const float *up, float *out, size_t n);
    void (*gelu_multiply)(const float *gate, const float *up, float *out, size_t n);
    void (*add)(const float *a, const float *b, float *out, size_t n);
    void (*scale)(float *x, float factor, size_t n);
    void (*axpy)(float a, const float *x, float *y, size_t n);
    float (*dot)(const float *a, const float *b, size_t n);
    void (*f32_to_f16)(const float *source, uint16_t *destination, size_t n);
    void (*f16_to_f32)(const uint16_t *source, float *destination, size_t n);
    size_t (*argmax)(const float *x, size_t n);
} ck_table;

/// Each file fills the entries it has and leaves the others, so a table starts as the scalar one.
void ck_fill_scalar(ck_table *table);
void ck_fill_avx2(ck_table *table);
void ck_fill_avx2_panels(ck_table *table);
void ck_fill_avx2_float(ck_table *table);
void ck_fill_avx_vnni(ck_table *table);
void ck_fill_avx512(ck_table *table);
void ck_fill_avx512_float(ck_table *table);
void ck_fill_neon(ck_table *table);
void ck_fill_neon_float(ck_table *table);

// --- Attention -------------------------------------------------------------------------------------------------------

enum {
    CK_KEY_BLOCK = 64,   // keys folded into the running softmax at once, whole panels
    CK_BLOCK_ROWS = 96,  // query rows (queries times heads) that share an expanded block of keys
};

/// Where element e of a key is in its head's panels.
CK_INLINE size_t ck_key_index(size_t position, size_t e, size_t head_size) {
    return (position / CK_KEY_PANEL * head_size + e) * CK_KEY_PANEL + position % CK_KEY_PANEL;
}

// --- Scalar conversions ----------------------------------------------------------------------------------------------

CK_INLINE float ck_float_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

CK_INLINE uint32_t ck_bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

CK_INLINE float ck_float_from_bf16(uint16_t bits) { return ck_float_from_bits((uint32_t)bits << 16); }

CK_INLINE float ck_float_from_f16(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, rest = bits & 0x7fff;
    if (rest >= 0x7c00) {  // infinity, or NaN made quiet as the hardware does
        uint32_t payload = rest & 0x3ff;
        return ck_float_from_bits(sign | 0x7f800000 | (payload ? 0x400000 | payload << 13 : 0));
    }
    if (rest >= 0x0400) return ck_float_from_bits(sign | ((rest << 13) + ((127 - 15) << 23)));
    float magnitude = (float)rest * 0x1p-24f;  // zero and subnormals
    return ck_float_from_bits(sign | ck_bits_of_float(magnitude));
}

CK_INLINE uint16_t ck_f16_from_float(float value) {
    uint32_t bits = ck_bits_of_float(value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00);  // 65520 and above round to infinity
    if (magnitude < 0x38800000) {  // below the smallest normal: adding 0.5 lines the last place up with 2^-24
        float shifted = ck_float_from_bits(magnitude) + 0.5f;
        return (uint16_t)(sign | (ck_bits_of_float(shifted) - 0x3f000000));
    }
    uint32_t odd = magnitude >> 13 & 1;
    return (uint16_t)(sign | ((magnitude - ((127 - 15) << 23) + 0xfff + odd) >> 13));
}

/// The scale of columns 16 s to 16 s + 15 of a Q3_K block: 6 bits, less 32.
CK_INLINE int8_t ck_q3_scale(const uint8_t *scales, int s) {
    int low = s < 8 ? scales[s] & 15 : scales[s - 8] >> 4;
    return (int8_t)((low | (scales[8 + s % 4] >> (s / 4 * 2) & 3) << 4) - 32);
}

/// The scale of columns 32 j to 32 j + 31 of an IQ4_XS block: 6 bits, less 32.
CK_INLINE int8_t ck_iq4_scale(uint16_t scales_h, const uint8_t *scales_l, int j) {
    return (int8_t)(((scales_l[j / 2] >> (j % 2 * 4) & 15) | (scales_h >> (2 * j) & 3) << 4) - 32);
}

/// The 6-bit scale and min of 32-column block j (0 ... 7) of a Q4_K or Q5_K block.
CK_INLINE void ck_k_scale(const uint8_t *scales, int j, uint8_t *scale, uint8_t *min) {
    if (j < 4) {
        *scale = scales[j] & 63;
        *min = scales[j + 4] & 63;
    } else {
        *scale = (uint8_t)((scales[j + 4] & 15) | (scales[j - 4] >> 6) << 4);
        *min = (uint8_t)((scales[j + 4] >> 4) | (scales[j] >> 6) << 4);
    }
}

#endif
