/**
 * Recurrent networks for the JVM.
 *
 * <p>{@link dev.unroll.engine.NetworkSpec} describes a network, {@link dev.unroll.engine.Network}
 * holds its parameters, {@link dev.unroll.engine.Stream} runs it one step at a time, {@link
 * dev.unroll.engine.Unrolled} over whole sequences forward and backward, and {@link
 * dev.unroll.engine.Trainer} trains it. {@link dev.unroll.engine.ModelFile} reads and writes it.
 */
@NullMarked
package dev.unroll.engine;

import org.jspecify.annotations.NullMarked;
