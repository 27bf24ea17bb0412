// SPDX-License-Identifier: Apache-2.0
//
// Chooses the instruction set, and implements the public functions over the chosen table.
#include "internal.h"
#include <math.h>
#include <stdatomic.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

// --- Instruction sets ------------------------------------------------------------------------------------------------

enum { ISA_COUNT = CK_ISA_NEON + 1 };

const char *ck_isa_name(ck_isa isa) {
    static const char *const names[ISA_COUNT] = {"scalar", "avx2", "avx-vnni", "avx512", "neon"};
    return isa >= 0 && isa < ISA_COUNT ? names[isa] : "unknown";
}

// __builtin_cpu_supports also asks XGETBV, so a feature counts only if the operating system saves its registers.
bool ck_isa_is_available(ck_isa isa) {
    switch (isa) {
    case CK_ISA_SCALAR: return true;
#if defined(__x86_64__) && defined(CK_EMULATED)
    case CK_ISA_AVX2: case CK_ISA_AVX_VNNI: case CK_ISA_AVX512: case CK_ISA_NEON: return true;
#elif defined(__x86_64__)
    case CK_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case CK_ISA_AVX_VNNI: return ck_isa_is_available(CK_ISA_AVX2) && __builtin_cpu_supports("avxvnni");
    case CK_ISA_AVX512:
        return ck_isa_is_available(CK_ISA_AVX2) && __builtin_cpu_supports("avx512f")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__) && defined(__linux__)
    case CK_ISA_NEON: return (getauxval(AT_HWCAP) & 1ul << 20) != 0;  // HWCAP_ASIMDDP
#elif defined(__aarch64__) && defined(__APPLE__)
    case CK_ISA_NEON: return true;
#endif
    default: return false;
    }
}

static ck_isa best_isa(void) {
    static const ck_isa order[] = {CK_ISA_AVX512, CK_ISA_AVX_VNNI, CK_ISA_AVX2, CK_ISA_NEON};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (ck_isa_is_available(order[i])) return order[i];
    return CK_ISA_SCALAR;
}

// One table per variant, filled on first use under `filling`; the release store to `active` publishes it.
static ck_table tables[ISA_COUNT];
static _Atomic(const ck_table *) active;
static atomic_flag filling = ATOMIC_FLAG_INIT;

static _Thread_local const ck_table *active_on_thread;

static const ck_table *filled_table(ck_isa isa) {
    while (atomic_flag_test_and_set_explicit(&filling, memory_order_acquire)) {}
    ck_table *table = &tables[isa];
    if (table->argmax == NULL) {
        ck_fill_scalar(table);
#if defined(__x86_64__)
        if (isa == CK_ISA_AVX2 || isa == CK_ISA_AVX_VNNI || isa == CK_ISA_AVX512) {
            ck_fill_avx2(table);
            if (isa == CK_ISA_AVX2) ck_fill_avx2_panels(table);
            ck_fill_avx2_float(table);
        }
        if (isa == CK_ISA_AVX_VNNI) ck_fill_avx_vnni(table);
        if (isa == CK_ISA_AVX512) {
            ck_fill_avx512(table);
            ck_fill_avx512_float(table);
        }
#endif
#if defined(__aarch64__) || defined(CK_EMULATED)
        if (isa == CK_ISA_NEON) {
            ck_fill_neon(table);
            ck_fill_neon_float(table);
        }
#endif
    }
    atomic_flag_clear_explicit(&filling, memory_order_release);
    return table;
}

static const ck_table *activate(ck_isa isa) {
    const ck_table *table = filled_table(isa);
    atomic_store_explicit(&active, table, memory_order_release);
    return table;
}

CK_INLINE const ck_table *current(void) {
    if (__builtin_expect(active_on_thread != NULL, 0)) return active_on_thread;
    const ck_table *table = atomic_load_explicit(&active, memory_order_acquire);
    return __builtin_expect(table != NULL, 1) ? table : activate(best_isa());
}

ck_isa ck_active_isa(void) { return (ck_isa)(current() - tables); }

bool ck_force_isa(ck_isa isa) {
    if (!ck_isa_is_available(isa)) return false;
    activate(isa);
    return true;
}

void ck_reset_isa(void) { activate(best_isa()); }

bool ck_force_isa_on_thread(ck_isa isa) {
    if (isa >= 0 && !ck_isa_is_available(isa)) return false;
    active_on_thread = isa < 0 ? NULL : filled_table(isa);
    return true;
}

// --- Products --------------------------------------------------------------------------------------------------------

size_t ck_activation_row_bytes(size_t k) { return (k / 32 * 44 + 63) / 64 * 64; }

void ck_quantize_activations(const float *x, size_t x_stride, size_t m, size_t k, void *activations) {
    const ck_table *table = current();
    size_t stride = ck_activation_row_bytes(k);
    for (size_t i = 0; i < m; i++)
        table->quantize_row(x + i * x_stride, k, (uint8_t *)activations + i * stride);
}

/// One group by up to m activation rows; `columns` of its 16 results exist.
static void multiply_group(const ck_table *table, int slot, const ck_layout *layout, const uint8_t *group,
                           const uint8_t *activations, size_t stride, size_t m, float *out, size_t out_stride,
                           size_t columns) {
    size_t largest = table->tile_rows[slot];
    for (size_t i = 0; i < m;) {
        size_t rows = m - i < largest ? m - i : largest;
        if (columns == 16) {
            table->tile[slot][rows - 1](layout, group, activations + i * stride, stride, out + i * out_stride, out_stride);
        } else {
            float whole[CK_MAX_TILE * 16];
            table->tile[slot][rows - 1](layout, group, activations + i * stride, stride, whole, 16);
            for (size_t r = 0; r < rows; r++) memcpy(out + (i + r) * out_stride, whole + r * 16, columns * sizeof(float));
        }
        i += rows;
    }
}

/// Bytes of activations that stay in the second-level cache while the groups stream past them.
enum { ACTIVATION_CACHE_BYTES = 192 * 1024 };

/// Fewer rows than this stream the weights from memory, for which the tiles' order is better.
enum { CK_PANEL_MINIMUM = 16 };

void ck_matmul_quantized(ck_format format, const void *packed, size_t n, size_t k, const void *activations, size_t m,
                         size_t row_begin, size_t row_end, float *out, size_t out_stride) {
    int slot = ck_slot(format);
    if (slot < 0) return;
    const ck_table *table = current();
    ck_layout layout = ck_layout_for(slot, k);
    size_t stride = ck_activation_row_bytes(k), largest = table->tile_rows[slot];
    if (table->panel[slot] != NULL && m >= CK_PANEL_MINIMUM) {
        size_t panels = m / CK_PANEL_ROWS, done = panels * CK_PANEL_ROWS;
        table->panel[slot](&layout, packed, activations, stride, panels, row_begin, row_end, out, out_stride);
        activations = (const uint8_t *)activations + done * stride;
        out += done * out_stride;
        m -= done;
    }
    size_t slab = stride == 0 ? m : ACTIVATION_CACHE_BYTES / stride / largest * largest;
    if (slab < 4 * largest) slab = 4 * largest;
    for (size_t i = 0; i < m; i += slab) {
        size_t rows = m - i < slab ? m - i : slab;
        for (size_t j = row_begin; j < row_end; j += 16)
            multiply_group(table, slot, &layout, (const uint8_t *)packed + j / 16 * layout.group_bytes,
                           (const uint8_t *)activations + i * stride, stride, rows, out + i * out_stride + j, out_stride,
                           n - j < 16 ? n - j : 16);
    }
}

void ck_matmul_quantized_rows(ck_format format, const void *packed, size_t n, size_t k, const void *activation,
                              const int32_t *rows, size_t row_count, float *out) {
    int slot = ck_slot(format);
    if (slot < 0) return;
    (void)n;
    const ck_table *table = current();
    ck_layout layout = ck_layout_for(slot, k);
    float whole[16];
    size_t held = SIZE_MAX;
    for (size_t i = 0; i < row_count; i++) {
        size_t row = (size_t)(uint32_t)rows[i], group = row / 16;
        if (group != held) {
            table->tile[slot][0](&layout, (const uint8_t *)packed + group * layout.group_bytes, activation, 0, whole, 16);
            held = group;
        }
        out[i] = whole[row % 16];
    }
}

void ck_matmul_float(ck_format format, const void *weights, size_t k, const float *x, size_t x_stride, size_t m,
                     size_t row_begin, size_t row_end, float *out, size_t out_stride) {
    if (ck_block_length(format) != 1) return;
    current()->matmul_float(format, weights, k, x, x_stride, m, row_begin, row_end, out, out_stride);
}

void ck_matmul_float_rows(ck_format format, const void *weights, size_t k, const float *x, const int32_t *rows,
                          size_t row_count, float *out) {
    if (ck_block_length(format) != 1) return;
    const ck_table *table = current();
    size_t bytes = ck_row_bytes(format, k);
    for (size_t i = 0; i < row_count; i++)
        table->matmul_float(format, (const uint8_t *)weights + (size_t)(uint32_t)rows[i] * bytes, k, x, k, 1, 0, 1,
                            out + i, 1);
}

// --- Attention and element-wise --------------------------------------------------------------------------------------

size_t ck_attention_scratch_bytes(size_t head_size) {
    size_t stride = (head_size + 31) / 32 * 32;
    return (2 * CK_BLOCK_ROWS * stride + CK_BLOCK_ROWS * CK_KEY_BLOCK + 2 * stride * CK_KEY_BLOCK) * sizeof(float);
}

void ck_store_key(const float *key, size_t head_size, size_t position, bool is_f16, void *keys) {
    if (is_f16) {
        uint16_t half[64], *out = keys;
        for (size_t begin = 0; begin < head_size; begin += 64) {
            size_t count = head_size - begin < 64 ? head_size - begin : 64;
            current()->f32_to_f16(key + begin, half, count);
            uint16_t *column = out + ck_key_index(position, begin, head_size);
            for (size_t e = 0; e < count; e++) column[e * CK_KEY_PANEL] = half[e];
        }
    } else {
        float *column = (float *)keys + ck_key_index(position, 0, head_size);
        for (size_t e = 0; e < head_size; e++) column[e * CK_KEY_PANEL] = key[e];
    }
}

void ck_attend(const ck_attention *attention, void *scratch) { current()->attend(attention, scratch); }

void ck_rms_norm(const float *x, const float *weight, float epsilon, float *out, size_t n) {
    current()->rms_norm(x, weight, epsilon, out, n);
}

void ck_rope_table(size_t position, size_t rotated, float base, float frequency_scale, const float *divisors,
                   float factor, float *table) {
    for (size_t i = 0; i < rotated / 2; i++) {
        double angle = (double)position * frequency_scale * pow(base, -2.0 * (double)i / (double)rotated);
        if (divisors != NULL) angle /= divisors[i];
        table[2 * i] = (float)(factor * cos(angle));
        table[2 * i + 1] = (float)(factor * sin(angle));
    }
}

void ck_rope_adjacent(float *x, const float *table, size_t heads, size_t head_size, size_t rotated) {
    current()->rope_adjacent(x, table, heads, head_size, rotated);
}

void ck_rope_halves(float *x, const float *table, size_t heads, size_t head_size, size_t rotated) {
    current()->rope_halves(x, table, heads, head_size, rotated);
}

void ck_softmax(float *x, size_t n) { current()->softmax(x, n); }

void ck_silu_multiply(const float *gate, const float *up, float *out, size_t n) {
    current()->silu_multiply(gate, up, out, n);
}

void ck_gelu_multiply(const float *gate, const float *up, float *out, size_t n) {
    current()->gelu_multiply(gate, up, out, n);
}

void ck_add(const float *a, const float *b, float *out, size_t n) { current()->add(a, b, out, n); }
void ck_scale(float *x, float factor, size_t n) { current()->scale(x, factor, n); }
void ck_axpy(float a, const float *x, float *y, size_t n) { current()->axpy(a, x, y, n); }
float ck_dot(const float *a, const float *b, size_t n) { return current()->dot(a, b, n); }

void ck_f32_to_f16(const float *source, uint16_t *destination, size_t n) {
    current()->f32_to_f16(source, destination, n);
}

void ck_f16_to_f32(const uint16_t *source, float *destination, size_t n) {
    current()->f16_to_f32(source, destination, n);
}

size_t ck_argmax(const float *x, size_t n) { return current()->argmax(x, n); }
