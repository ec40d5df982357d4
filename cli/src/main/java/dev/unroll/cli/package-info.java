/** The {@code unroll} command: train, generate, run, gradients, inspect, info. */
@NullMarked
package dev.unroll.cli;

import org.jspecify.annotations.NullMarked;
