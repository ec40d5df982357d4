/** JMH benchmarks. */
@NullMarked
package dev.unroll.perf;

import org.jspecify.annotations.NullMarked;
