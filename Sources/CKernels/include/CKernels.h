// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic of the inference engine: weight formats, matrix products, attention and the element-wise operations.
//
// Rules that hold for every function here:
//  * Nothing allocates, blocks, or keeps a pointer after it returns; all buffers belong to the caller.
//  * The only state is the choice of instruction set, so all may run on many threads at once on disjoint outputs.
//  * Pointers need the alignment of their element type unless a comment asks for more. 64 bytes is fastest everywhere.
//  * Sizes are in elements unless the name says bytes. Arguments are not checked: the caller validated shapes when it
//    read the model. The exceptions are the functions that return a size or a bool, which answer 0 or false.
//  * Matrices are row-major. A weight matrix has n rows (outputs) of k columns (inputs), as in a GGUF file:
//    out[i][j] = sum over c of x[i][c] * w[j][c].
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// ---------------------------------------------------------------------------------------------------------------------
// Weight formats
// ---------------------------------------------------------------------------------------------------------------------

/// Weight formats by their GGUF tensor type number.
enum {
    CK_F32 = 0,
    CK_F16 = 1,
    CK_Q4_0 = 2,
    CK_Q4_1 = 3,
    CK_Q5_0 = 6,
    CK_Q5_1 = 7,
    CK_Q8_0 = 8,
    CK_Q2_K = 10,
    CK_Q3_K = 11,
    CK_Q4_K = 12,
    CK_Q5_K = 13,
    CK_Q6_K = 14,
    CK_IQ4_NL = 20,
    CK_IQ4_XS = 23,
    CK_BF16 = 30,
};

/// A value of the enumeration above. Any other number is answered as "not supported".
typedef int32_t ck_format;

/// Whether the format is one of those above.
bool ck_format_is_supported(ck_format format);

/// Whether the format is one of the block-quantized ones, which are packed before use. F32, F16 and BF16 are not.
bool ck_format_is_quantized(ck_format format);

/// Elements in one block of the file layout: 1, 32 or 256. 0 if the format is not supported.
size_t ck_block_length(ck_format format);

/// Bytes of one block of the file layout. 0 if the format is not supported.
size_t ck_block_bytes(ck_format format);

/// Bytes of one row of k elements in the file layout. 0 if the format is not supported or k is not whole blocks.
size_t ck_row_bytes(ck_format format, size_t k);

/// Expands a row of the file layout into float32, exactly. `source` may have any alignment. k is whole blocks.
void ck_dequantize_row(ck_format format, const void *source, float *destination, size_t k);

// ---------------------------------------------------------------------------------------------------------------------
// Packed weights
//
// The integer products read weights in a packed layout: 16 rows interleaved, 4 columns at a time, so that one vector
// register holds the same 4 columns of 8 or 16 rows and no sum ever crosses lanes. The layout is the same for every
// instruction set and keeps the weights' exact values. Its size is the file's size (Q4_K, Q5_K, IQ4_XS: 1 to 3 % more, Q3_K:
// 4 % more), rows rounded up to a multiple of 16.
// ---------------------------------------------------------------------------------------------------------------------

/// Rows in one interleaved group. Row ranges given to threads start at multiples of this.
enum { CK_GROUP_ROWS = 16 };

/// Bytes of a packed n x k matrix. 0 if the format is not quantized or k is not whole blocks.
size_t ck_packed_bytes(ck_format format, size_t n, size_t k);

/// Byte offset in the packed matrix where the group of `row` starts. Groups lie in order, each a multiple of 64 bytes.
size_t ck_packed_offset(ck_format format, size_t row, size_t k);

/// Packs rows [first_row, first_row + row_count) of an n x k matrix.
///
/// @param source  The file layout of row `first_row` (not of row 0), rows of `ck_row_bytes` each; any alignment.
/// @param packed  The whole packed matrix, `ck_packed_bytes` long, aligned to 64 bytes.
/// first_row is a multiple of CK_GROUP_ROWS; row_count too unless the range ends at n. Threads may pack disjoint ranges.
/// Missing rows of the last group become zero.
void ck_pack_rows(ck_format format, const void *source, size_t n, size_t k, size_t first_row, size_t row_count,
                  void *packed);

/// Expands one row of a packed matrix into float32: the same values as `ck_dequantize_row` on the file layout.
///
/// For embedding lookup in a matrix that is also the output head.
void ck_dequantize_packed_row(ck_format format, const void *packed, size_t k, size_t row, float *destination);

// ---------------------------------------------------------------------------------------------------------------------
// Quantized activations
//
// Each row of activations becomes int8 in blocks of 32 with one float32 scale (largest magnitude / 127), the block's sum,
// and the integer sums of its halves. One buffer serves every weight format.
// ---------------------------------------------------------------------------------------------------------------------

/// Bytes from one quantized activation row to the next: a multiple of 64. k is a multiple of 32.
size_t ck_activation_row_bytes(size_t k);

/// Quantizes m rows of k floats.
///
/// @param x            Row i starts at x + i * x_stride.
/// @param activations  Row i is written at activations + i * ck_activation_row_bytes(k); aligned to 64 bytes.
/// k is a multiple of 32. Rows are independent: threads may share the work by row ranges.
void ck_quantize_activations(const float *x, size_t x_stride, size_t m, size_t k, void *activations);

// ---------------------------------------------------------------------------------------------------------------------
// Matrix products with quantized weights
// ---------------------------------------------------------------------------------------------------------------------

/// Multiplies m quantized activation rows by rows [row_begin, row_end) of a packed n x k matrix.
///
/// out[i * out_stride + j] is written for j in [row_begin, row_end) and i in [0, m): `out` is the whole m x n result, each
/// thread is given its own row range. m = 1 is the decode case and streams the weights once; m = 2 to 8 also streams them
/// once; larger m is blocked for the caches.
/// row_begin is a multiple of CK_GROUP_ROWS; row_end too unless it is n.
void ck_matmul_quantized(ck_format format, const void *packed, size_t n, size_t k, const void *activations, size_t m,
                         size_t row_begin, size_t row_end, float *out, size_t out_stride);

/// Multiplies one quantized activation row by chosen rows of a packed n x k matrix: out[i] = row rows[i].
///
/// Reads the whole group of 16 of each row named. Sort `rows`, so that a group with several of them is computed once.
/// Every rows[i] must be in [0, n). Threads may split the list.
void ck_matmul_quantized_rows(ck_format format, const void *packed, size_t n, size_t k, const void *activation,
                              const int32_t *rows, size_t row_count, float *out);

// ---------------------------------------------------------------------------------------------------------------------
// Matrix products with float weights: F32, F16, BF16 in the file layout, activations in float32
// ---------------------------------------------------------------------------------------------------------------------

/// Multiplies m rows of k floats by rows [row_begin, row_end) of a float weight matrix in the file layout.
///
/// @param weights  Row 0 of the matrix; rows of k elements without gaps, any alignment.
/// out[i * out_stride + j] is written for j in [row_begin, row_end). Any range, any k.
void ck_matmul_float(ck_format format, const void *weights, size_t k, const float *x, size_t x_stride, size_t m,
                     size_t row_begin, size_t row_end, float *out, size_t out_stride);

/// Multiplies one row of k floats by chosen rows of a float weight matrix: out[i] = row rows[i].
void ck_matmul_float_rows(ck_format format, const void *weights, size_t k, const float *x, const int32_t *rows,
                          size_t row_count, float *out);

// ---------------------------------------------------------------------------------------------------------------------
// Attention
// ---------------------------------------------------------------------------------------------------------------------

/// Positions of a panel of keys, and of a block of panels: the cache holds whole blocks.
enum { CK_KEY_PANEL = 16, CK_CACHE_BLOCK = 64 };

/// Writes the key of a position into its head's panels, which are laid out as `ck_attention` says.
void ck_store_key(const float *key, size_t head_size, size_t position, bool is_f16, void *keys);

/// Attention of the query heads that share one key/value head, over a run of consecutive positions.
///
/// Query i (0 <= i < queries) stands at position first_position + i and sees keys j with
/// max(0, first_position + i - window + 1) <= j <= first_position + i (window 0: no lower limit). The keys of all
/// positions up to the last query are already in the cache.
typedef struct ck_attention {
    /// Query i, head h: head_size floats at q + i * q_stride + h * head_size (already normalised and rotated).
    const float *q;
    size_t q_stride;
    /// Result, laid out like q. May be the same buffer as q (with the same stride).
    float *out;
    size_t out_stride;
    /// Keys in panels of CK_KEY_PANEL positions, transposed, so that one vector holds an element of many keys: element e
    /// of key j is (j / CK_KEY_PANEL * head_size + e) * CK_KEY_PANEL + j % CK_KEY_PANEL. Value j begins at element
    /// j * kv_stride. f16 bits if kv_is_f16, else float32. The last block is readable to its end.
    const void *k;
    const void *v;
    size_t kv_stride;
    bool kv_is_f16;
    /// Elements of one head. Any size; multiples of 8 are fast. At most 512.
    size_t head_size;
    /// Query heads that share the key/value head, adjacent in q and out.
    size_t heads;
    size_t queries;
    size_t first_position;
    size_t window;
    /// Factor on q . k, usually 1 / sqrt(head_size).
    float scale;
    /// If above 0, a scaled score s becomes softcap * tanh(s / softcap).
    float softcap;
} ck_attention;

/// Bytes of scratch that one call of `ck_attend` needs, for any number of queries and positions.
size_t ck_attention_scratch_bytes(size_t head_size);

/// Computes the attention. `scratch` is aligned to 64 bytes, one per thread.
///
/// Work is shared among threads by key/value head and by runs of queries; 12 or more queries (times heads) in a call are
/// computed as blocks that read keys and values once. The result of a position is the same to the last bit however many
/// positions a call has.
void ck_attend(const ck_attention *attention, void *scratch);

// ---------------------------------------------------------------------------------------------------------------------
// Element-wise operations and reductions. Outputs may be the same buffer as an input of the same shape.
// ---------------------------------------------------------------------------------------------------------------------

/// out[i] = x[i] / sqrt(mean(x^2) + epsilon) * weight[i]. Without weight, the factor is 1.
void ck_rms_norm(const float *x, const float *_Nullable weight, float epsilon, float *out, size_t n);

/// Fills cos/sin pairs for one position: table[2 * i] = factor * cos(angle), table[2 * i + 1] = factor * sin(angle), with
/// angle = position * frequency_scale * base^(-2 i / rotated) / divisors[i], for i < rotated / 2.
///
/// @param divisors  rotated / 2 values (`rope_freqs.weight`, long or short factors), or null.
/// @param factor    Attention factor (1 unless the model scales it). Angles are computed in double.
void ck_rope_table(size_t position, size_t rotated, float base, float frequency_scale,
                   const float *_Nullable divisors, float factor, float *table);

/// Rotates pairs of adjacent elements (2 i, 2 i + 1) of each head in place. Heads of head_size floats are adjacent;
/// only the first `rotated` elements of each are changed. For architecture `llama`.
void ck_rope_adjacent(float *x, const float *table, size_t heads, size_t head_size, size_t rotated);

/// Rotates pairs (i, i + rotated / 2) of each head in place. For all other architectures.
void ck_rope_halves(float *x, const float *table, size_t heads, size_t head_size, size_t rotated);

/// x[i] = exp(x[i] - max) / sum. n = 0 does nothing.
void ck_softmax(float *x, size_t n);

/// out[i] = silu(gate[i]) * up[i], silu(t) = t / (1 + exp(-t)).
void ck_silu_multiply(const float *gate, const float *up, float *out, size_t n);

/// out[i] = gelu(gate[i]) * up[i], gelu by its tanh formula.
void ck_gelu_multiply(const float *gate, const float *up, float *out, size_t n);

/// out[i] = a[i] + b[i].
void ck_add(const float *a, const float *b, float *out, size_t n);

/// x[i] *= factor.
void ck_scale(float *x, float factor, size_t n);

/// y[i] += a * x[i].
void ck_axpy(float a, const float *x, float *y, size_t n);

/// Sum of a[i] * b[i].
float ck_dot(const float *a, const float *b, size_t n);

/// float32 to half precision bits, rounding to nearest even; overflow becomes infinity.
void ck_f32_to_f16(const float *source, uint16_t *destination, size_t n);

/// Half precision bits to float32, exact.
void ck_f16_to_f32(const uint16_t *source, float *destination, size_t n);

/// Index of the first largest element; NaN is never chosen. 0 if n is 0 or all elements are NaN.
size_t ck_argmax(const float *x, size_t n);

// ---------------------------------------------------------------------------------------------------------------------
// Instruction sets
// ---------------------------------------------------------------------------------------------------------------------

enum {
    CK_ISA_SCALAR = 0,
    CK_ISA_AVX2 = 1,       // AVX2 + FMA + F16C
    CK_ISA_AVX_VNNI = 2,   // AVX2 + 256-bit VNNI
    CK_ISA_AVX512 = 3,     // AVX-512 F, BW, VL + VNNI
    CK_ISA_NEON = 4,       // arm64 with dot product
};

/// A value of the enumeration above.
typedef int32_t ck_isa;

/// Name for reports, such as "avx2". "unknown" for other values.
const char *ck_isa_name(ck_isa isa);

/// Whether this build has the variant, and the processor and the operating system support it.
bool ck_isa_is_available(ck_isa isa);

/// The variant in use: the best available one unless it was forced.
ck_isa ck_active_isa(void);

/// Makes all later calls in the process use one variant, for benchmarks. False, and no change, if it is not available.
/// A call already running on another thread ends with the variant it began with.
bool ck_force_isa(ck_isa isa);

/// Goes back to the best available variant.
void ck_reset_isa(void);

/// Makes later calls on the calling thread use one variant, whatever the process uses; a negative number ends that.
/// False, and no change, if it is not available. For tests that run beside others.
bool ck_force_isa_on_thread(ck_isa isa);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
