/** The kernels on {@code jdk.incubator.vector}; twins of the scalar ones, equal in every bit. */
@NullMarked
package dev.unroll.simd;

import org.jspecify.annotations.NullMarked;
