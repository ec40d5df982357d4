/**
 * The kernel contract ({@link dev.unroll.fallback.Kernels}) and its plain-Java twin.
 *
 * <p>Every kernel exists twice: a {@code Scalar…} class here and a {@code Vector…} class in the
 * simd module. Both perform the same floating-point operations in the same order for each element,
 * so they agree in every bit.
 */
@NullMarked
package dev.unroll.fallback;

import org.jspecify.annotations.NullMarked;
