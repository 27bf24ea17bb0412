// SPDX-License-Identifier: Apache-2.0
//
// File layouts of the weight formats and their exact expansion to float32.
#include "internal.h"

#pragma STDC FP_CONTRACT OFF  // d * q + m rounds twice, as in the reference implementation

const int8_t ck_iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
const uint8_t ck_iq4_raised[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};

size_t ck_block_length(ck_format format) {
    switch (format) {
    case CK_F32: case CK_F16: case CK_BF16: return 1;
    case CK_Q4_0: case CK_Q4_1: case CK_Q5_0: case CK_Q5_1: case CK_Q8_0: case CK_IQ4_NL: return 32;
    case CK_Q2_K: case CK_Q3_K: case CK_Q4_K: case CK_Q5_K: case CK_Q6_K: case CK_IQ4_XS: return 256;
    default: return 0;
    }
}

size_t ck_block_bytes(ck_format format) {
    switch (format) {
    case CK_F32: return 4;
    case CK_F16: case CK_BF16: return 2;
    case CK_Q4_0: return sizeof(ck_block_q4_0);
    case CK_Q4_1: return sizeof(ck_block_q4_1);
    case CK_Q5_0: return sizeof(ck_block_q5_0);
    case CK_Q5_1: return sizeof(ck_block_q5_1);
    case CK_Q8_0: return sizeof(ck_block_q8_0);
    case CK_Q4_K: return sizeof(ck_block_q4_k);
    case CK_Q5_K: return sizeof(ck_block_q5_k);
    case CK_Q6_K: return sizeof(ck_block_q6_k);
    case CK_Q2_K: return sizeof(ck_block_q2_k);
    case CK_Q3_K: return sizeof(ck_block_q3_k);
    case CK_IQ4_NL: return sizeof(ck_block_iq4_nl);
    case CK_IQ4_XS: return sizeof(ck_block_iq4_xs);
    default: return 0;
    }
}

_Static_assert(sizeof(ck_block_q4_0) == 18 && sizeof(ck_block_q4_1) == 20 && sizeof(ck_block_q5_0) == 22, "file layout");
_Static_assert(sizeof(ck_block_q5_1) == 24 && sizeof(ck_block_q8_0) == 34 && sizeof(ck_block_q4_k) == 144, "file layout");
_Static_assert(sizeof(ck_block_q5_k) == 176 && sizeof(ck_block_q6_k) == 210, "file layout");
_Static_assert(sizeof(ck_block_q2_k) == 84 && sizeof(ck_block_q3_k) == 110, "file layout");
_Static_assert(sizeof(ck_block_iq4_nl) == 18 && sizeof(ck_block_iq4_xs) == 136, "file layout");

bool ck_format_is_supported(ck_format format) { return ck_block_length(format) != 0; }
bool ck_format_is_quantized(ck_format format) { return ck_block_length(format) > 1; }

size_t ck_row_bytes(ck_format format, size_t k) {
    size_t length = ck_block_length(format);
    if (length == 0 || k % length != 0) return 0;
    size_t bytes;
    return __builtin_mul_overflow(k / length, ck_block_bytes(format), &bytes) ? 0 : bytes;
}

// Blocks are copied to an aligned local first: files only promise byte alignment of a row.
#define FOR_EACH_BLOCK(TYPE, LENGTH)                                                                                  \
    TYPE block;                                                                                                       \
    for (const uint8_t *p = source, *end = p + k / LENGTH * sizeof block;                                             \
         p != end && (memcpy(&block, p, sizeof block), 1); p += sizeof block, y += LENGTH)

void ck_dequantize_row(ck_format format, const void *source, float *y, size_t k) {
    switch (format) {
    case CK_F32: memcpy(y, source, k * sizeof(float)); break;
    case CK_F16: case CK_BF16:
        for (size_t i = 0; i < k; i++) {
            uint16_t bits;
            memcpy(&bits, (const uint8_t *)source + 2 * i, 2);
            y[i] = format == CK_F16 ? ck_float_from_f16(bits) : ck_float_from_bf16(bits);
        }
        break;
    case CK_Q4_0: {
        FOR_EACH_BLOCK(ck_block_q4_0, 32) {
            float d = ck_float_from_f16(block.d);
            for (int i = 0; i < 16; i++) {
                y[i] = d * (float)((block.qs[i] & 15) - 8);
                y[i + 16] = d * (float)((block.qs[i] >> 4) - 8);
            }
        }
        break;
    }
    case CK_Q4_1: {
        FOR_EACH_BLOCK(ck_block_q4_1, 32) {
            float d = ck_float_from_f16(block.d), m = ck_float_from_f16(block.m);
            for (int i = 0; i < 16; i++) {
                y[i] = d * (float)(block.qs[i] & 15) + m;
                y[i + 16] = d * (float)(block.qs[i] >> 4) + m;
            }
        }
        break;
    }
    case CK_Q5_0: {
        FOR_EACH_BLOCK(ck_block_q5_0, 32) {
            float d = ck_float_from_f16(block.d);
            for (int i = 0; i < 16; i++) {
                int low = (block.qs[i] & 15) | (block.qh[i / 8] >> (i % 8) & 1) << 4;
                int high = block.qs[i] >> 4 | (block.qh[i / 8 + 2] >> (i % 8) & 1) << 4;
                y[i] = d * (float)(low - 16);
                y[i + 16] = d * (float)(high - 16);
            }
        }
        break;
    }
    case CK_Q5_1: {
        FOR_EACH_BLOCK(ck_block_q5_1, 32) {
            float d = ck_float_from_f16(block.d), m = ck_float_from_f16(block.m);
            for (int i = 0; i < 16; i++) {
                int low = (block.qs[i] & 15) | (block.qh[i / 8] >> (i % 8) & 1) << 4;
                int high = block.qs[i] >> 4 | (block.qh[i / 8 + 2] >> (i % 8) & 1) << 4;
                y[i] = d * (float)low + m;
                y[i + 16] = d * (float)high + m;
            }
        }
        break;
    }
    case CK_Q8_0: {
        FOR_EACH_BLOCK(ck_block_q8_0, 32) {
            float d = ck_float_from_f16(block.d);
            for (int i = 0; i < 32; i++) y[i] = d * (float)block.qs[i];
        }
        break;
    }
    case CK_Q4_K: {
        FOR_EACH_BLOCK(ck_block_q4_k, 256) {
            float d = ck_float_from_f16(block.d), dmin = ck_float_from_f16(block.dmin);
            for (int j = 0; j < 8; j++) {
                uint8_t scale, min;
                ck_k_scale(block.scales, j, &scale, &min);
                float ds = d * (float)scale, dm = dmin * (float)min;
                for (int i = 0; i < 32; i++) {
                    int q = block.qs[j / 2 * 32 + i] >> (j % 2 * 4) & 15;
                    y[j * 32 + i] = ds * (float)q - dm;
                }
            }
        }
        break;
    }
    case CK_Q5_K: {
        FOR_EACH_BLOCK(ck_block_q5_k, 256) {
            float d = ck_float_from_f16(block.d), dmin = ck_float_from_f16(block.dmin);
            for (int j = 0; j < 8; j++) {
                uint8_t scale, min;
                ck_k_scale(block.scales, j, &scale, &min);
                float ds = d * (float)scale, dm = dmin * (float)min;
                for (int i = 0; i < 32; i++) {
                    int q = (block.qs[j / 2 * 32 + i] >> (j % 2 * 4) & 15) | (block.qh[i] >> j & 1) << 4;
                    y[j * 32 + i] = ds * (float)q - dm;
                }
            }
        }
        break;
    }
    case CK_Q6_K: {
        FOR_EACH_BLOCK(ck_block_q6_k, 256) {
            float d = ck_float_from_f16(block.d);
            for (int i = 0; i < 256; i++) {
                int half = i / 128, quarter = i % 128 / 32, l = i % 32;
                int low = block.ql[half * 64 + quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
                int high = block.qh[half * 32 + l] >> (quarter * 2) & 3;
                y[i] = d * (float)block.scales[i / 16] * (float)((low | high << 4) - 32);
            }
        }
        break;
    }
    case CK_Q2_K: {
        FOR_EACH_BLOCK(ck_block_q2_k, 256) {
            float d = ck_float_from_f16(block.d), dmin = ck_float_from_f16(block.dmin);
            for (int i = 0; i < 256; i++) {
                int q = block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
                float ds = d * (float)(block.scales[i / 16] & 15), dm = dmin * (float)(block.scales[i / 16] >> 4);
                y[i] = ds * (float)q - dm;
            }
        }
        break;
    }
    case CK_Q3_K: {
        FOR_EACH_BLOCK(ck_block_q3_k, 256) {
            float d = ck_float_from_f16(block.d);
            for (int i = 0; i < 256; i++) {
                int low = block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
                int high = block.hmask[i % 32] >> (i / 32) & 1;
                y[i] = d * (float)ck_q3_scale(block.scales, i / 16) * (float)((low | high << 2) - 4);
            }
        }
        break;
    }
    case CK_IQ4_NL: {
        FOR_EACH_BLOCK(ck_block_iq4_nl, 32) {
            float d = ck_float_from_f16(block.d);
            for (int i = 0; i < 16; i++) {
                y[i] = d * (float)ck_iq4_values[block.qs[i] & 15];
                y[i + 16] = d * (float)ck_iq4_values[block.qs[i] >> 4];
            }
        }
        break;
    }
    case CK_IQ4_XS: {
        FOR_EACH_BLOCK(ck_block_iq4_xs, 256) {
            float d = ck_float_from_f16(block.d);
            for (int i = 0; i < 256; i++) {
                float ds = d * (float)ck_iq4_scale(block.scales_h, block.scales_l, i / 32);
                y[i] = ds * (float)ck_iq4_values[block.qs[i / 32 * 16 + i % 16] >> (i % 32 / 16 * 4) & 15];
            }
        }
        break;
    }
    default: break;
    }
}
