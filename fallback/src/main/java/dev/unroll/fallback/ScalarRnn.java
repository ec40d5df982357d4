package dev.unroll.fallback;

import static dev.unroll.fallback.ScalarMath.flush;

/** Scalar twin of the simple recurrent cell. */
final class ScalarRnn implements RnnKernels {

  /* h = tanh(z) */
  @Override
  public void forwardTanh(int n, float[] z, int zo, float[] h, int ho) {
    for (int j = 0; j < n; j++) {
      h[ho + j] = flush(ScalarMath.tanh(z[zo + j]));
    }
  }

  /* h = max(0, z) */
  @Override
  public void forwardRelu(int n, float[] z, int zo, float[] h, int ho) {
    for (int j = 0; j < n; j++) {
      float v = z[zo + j];
      h[ho + j] = v < FloatMath.FLUSH ? 0f : v;
    }
  }

  /* dz = dh (1 - h²) */
  @Override
  public void backwardTanh(int n, float[] h, int ho, float[] dh, int dho, float[] dz, int dzo) {
    for (int j = 0; j < n; j++) {
      float v = h[ho + j];
      dz[dzo + j] = flush(dh[dho + j] * ScalarMath.fma(-v, v, 1f));
    }
  }

  /* dz = dh where h > 0 */
  @Override
  public void backwardRelu(int n, float[] h, int ho, float[] dh, int dho, float[] dz, int dzo) {
    for (int j = 0; j < n; j++) {
      dz[dzo + j] = h[ho + j] > 0f ? flush(dh[dho + j]) : 0f;
    }
  }
}
