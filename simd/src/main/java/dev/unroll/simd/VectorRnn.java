package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.ZERO;
import static dev.unroll.simd.Lanes.all;
import static dev.unroll.simd.Lanes.load;
import static dev.unroll.simd.VectorMath.flush;

import dev.unroll.fallback.FloatMath;
import dev.unroll.fallback.RnnKernels;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Vector twin of the simple recurrent cell. */
final class VectorRnn implements RnnKernels {

  /* h = tanh(z) */
  @Override
  public void forwardTanh(int n, float[] z, int zo, float[] h, int ho) {
    VectorMath.tanh(n, z, zo, h, ho);
    VectorMath.flushInPlace(n, h, ho);
  }

  /* h = max(0, z) */
  @Override
  public void forwardRelu(int n, float[] z, int zo, float[] h, int ho) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = load(z, zo + j);
      v.blend(ZERO, v.compare(VectorOperators.LT, FloatMath.FLUSH)).intoArray(h, ho + j);
    }
  }

  /* dz = dh (1 - h²) */
  @Override
  public void backwardTanh(int n, float[] h, int ho, float[] dh, int dho, float[] dz, int dzo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = load(h, ho + j);
      FloatVector slope = VectorMath.fma(v.neg(), v, all(1f));
      flush(load(dh, dho + j).mul(slope)).intoArray(dz, dzo + j);
    }
  }

  /* dz = dh where h > 0 */
  @Override
  public void backwardRelu(int n, float[] h, int ho, float[] dh, int dho, float[] dz, int dzo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector d = flush(load(dh, dho + j));
      ZERO.blend(d, load(h, ho + j).compare(VectorOperators.GT, 0f)).intoArray(dz, dzo + j);
    }
  }
}
