/** The same work by others, side by side with ours. */
@NullMarked
package dev.unroll.perf.peers;

import org.jspecify.annotations.NullMarked;
