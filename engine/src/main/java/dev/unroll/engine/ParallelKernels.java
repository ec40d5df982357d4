package dev.unroll.engine;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Kernels over many rows shared by the threads of a {@link Team}. Each thread takes some of the
 * inputs, or some of the rows or columns of a weight gradient; no sum is divided, so the bits do
 * not depend on the number of threads. Small work, and work while the team is busy, stays in the
 * caller.
 */
final class ParallelKernels {
  /*
   * Multiply-adds, elements and exponentials of a loss below which threads do not pay: what one core
   * has written last comes slowly to another, four times as slowly where they share no cache.
   */
  static final long SMALL_PRODUCT = 1 << 20;
  static final long SMALL_MATRIX = 1 << 16;
  static final long SMALL_LOSS = 1 << 13;

  private ParallelKernels() {}

  static Kernels of(Kernels kernels, int threads) {
    if (threads == 1) {
      return kernels;
    }
    Team team = Team.of(threads);
    return withProducts(kernels, serial -> new Affine(serial, team));
  }

  /** The same kernels in the caller alone. */
  static Kernels alone(Kernels kernels) {
    return withProducts(kernels, ParallelKernels::alone);
  }

  private static Kernels withProducts(Kernels kernels, UnaryOperator<AffineKernels> change) {
    return new Kernels(
        kernels.name(),
        kernels.laneBits(),
        change.apply(kernels.affine()),
        change.apply(kernels.bfloat16()),
        change.apply(kernels.int8()),
        kernels.elements(),
        kernels.rnn(),
        kernels.lstm(),
        kernels.gru(),
        kernels.loss(),
        kernels.optimizer());
  }

  private static AffineKernels alone(AffineKernels kernels) {
    return kernels instanceof Affine affine ? affine.serial : kernels;
  }

  /** The threads that share such kernels, or null. */
  static @Nullable Team team(Kernels kernels) {
    return kernels.affine() instanceof Affine affine ? affine.team : null;
  }

  /** First of the blocks that a part takes, as an index. */
  static int first(int part, int parts, int n, int block) {
    int blocks = (n + block - 1) / block;
    return Math.min(n, (int) ((long) blocks * part / parts) * block);
  }

  /** What of the arguments of any product must stay until the parts are done. */
  private static final class Affine implements AffineKernels {
    private final AffineKernels serial;
    private final Team team;
    private final Team.Task batch = this::batchPart;
    private final Team.Task outer = this::outerPart;
    private final Team.Task pack = this::packPart;
    private final Team.Task packTransposed = this::packTransposedPart;

    private PackedMatrix w;
    private int toRow;
    private int toColumn;
    private boolean accumulate;
    private int n;
    private int rows;
    private int columns;
    private float[] x = Cell.NOTHING;
    private int xo;
    private int xs;
    private float[] z = Cell.NOTHING;
    private int zo;
    private int zs;
    private float[] dw = Cell.NOTHING;
    private int dwo;
    private int dws;

    Affine(AffineKernels serial, Team team) {
      this.serial = serial;
      this.team = team;
      w = serial.allocate(Kernels.LANES, 1, PackedMatrix.Use.STEP);
    }

    @Override
    public PackedMatrix allocate(int rows, int columns, PackedMatrix.Use use) {
      return serial.allocate(rows, columns, use);
    }

    @Override
    public AffineKernels withLargest(int rows, int columns) {
      return new Affine(serial.withLargest(rows, columns), team);
    }

    @Override
    public long bytes(int rows, int columns, PackedMatrix.Use use) {
      return serial.bytes(rows, columns, use);
    }

    @Override
    public void pack(
        PackedMatrix to,
        int row,
        int column,
        int rows,
        int columns,
        float[] from,
        int offset,
        int stride) {
      if (isSmall(rows, columns) || !team.acquire()) {
        serial.pack(to, row, column, rows, columns, from, offset, stride);
        return;
      }
      runPack(pack, to, row, column, rows, columns, from, offset, stride);
    }

    private static boolean isSmall(int rows, int columns) {
      return (long) rows * columns < SMALL_MATRIX;
    }

    @Override
    public void packTransposed(
        PackedMatrix to,
        int row,
        int column,
        int rows,
        int columns,
        float[] from,
        int offset,
        int stride) {
      if (isSmall(rows, columns) || !team.acquire()) {
        serial.packTransposed(to, row, column, rows, columns, from, offset, stride);
        return;
      }
      runPack(packTransposed, to, row, column, rows, columns, from, offset, stride);
    }

    private void runPack(
        Team.Task task,
        PackedMatrix to,
        int row,
        int column,
        int rows,
        int columns,
        float[] from,
        int offset,
        int stride) {
      w = to;
      toRow = row;
      toColumn = column;
      this.rows = rows;
      this.columns = columns;
      x = from;
      xo = offset;
      xs = stride;
      team.run(task);
    }

    private void packPart(int part, int parts) {
      int r = first(part, parts, rows, Kernels.LANES);
      int count = first(part + 1, parts, rows, Kernels.LANES) - r;
      serial.pack(w, toRow + r, toColumn, count, columns, x, xo + r * xs, xs);
    }

    private void packTransposedPart(int part, int parts) {
      int r = first(part, parts, rows, Kernels.LANES);
      int count = first(part + 1, parts, rows, Kernels.LANES) - r;
      serial.packTransposed(w, toRow + r, toColumn, count, columns, x, xo + r, xs);
    }

    @Override
    public void packBias(PackedMatrix to, int row, int rows, float[] from, int offset) {
      serial.packBias(to, row, rows, from, offset);
    }

    @Override
    public void affine(PackedMatrix w, float[] x, int xo, float[] z, int zo) {
      serial.affine(w, x, xo, z, zo);
    }

    @Override
    public void affineBatch(
        PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
      if (!isShared(w, n)) {
        serial.affineBatch(w, n, x, xo, xs, z, zo, zs);
        return;
      }
      accumulate = false;
      runBatch(w, n, x, xo, xs, z, zo, zs);
    }

    @Override
    public void affineBatchAccumulate(
        PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
      if (!isShared(w, n)) {
        serial.affineBatchAccumulate(w, n, x, xo, xs, z, zo, zs);
        return;
      }
      accumulate = true;
      runBatch(w, n, x, xo, xs, z, zo, zs);
    }

    private boolean isShared(PackedMatrix w, int n) {
      return n > 1 && (long) n * w.rows() * w.columns() >= SMALL_PRODUCT && team.acquire();
    }

    private void runBatch(
        PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
      this.w = w;
      this.n = n;
      this.x = x;
      this.xo = xo;
      this.xs = xs;
      this.z = z;
      this.zo = zo;
      this.zs = zs;
      team.run(batch);
    }

    private void batchPart(int part, int parts) {
      int i = first(part, parts, n, 1);
      int count = first(part + 1, parts, n, 1) - i;
      if (accumulate) {
        serial.affineBatchAccumulate(w, count, x, xo + i * xs, xs, z, zo + i * zs, zs);
      } else {
        serial.affineBatch(w, count, x, xo + i * xs, xs, z, zo + i * zs, zs);
      }
    }

    @Override
    public void outerAccumulate(
        int n,
        float[] dz,
        int dzo,
        int dzs,
        int rows,
        float[] x,
        int xo,
        int xs,
        int columns,
        float[] dw,
        int dwo,
        int dws) {
      if ((long) n * rows * columns < SMALL_PRODUCT || !team.acquire()) {
        serial.outerAccumulate(n, dz, dzo, dzs, rows, x, xo, xs, columns, dw, dwo, dws);
        return;
      }
      this.n = n;
      this.z = dz;
      this.zo = dzo;
      this.zs = dzs;
      this.rows = rows;
      this.x = x;
      this.xo = xo;
      this.xs = xs;
      this.columns = columns;
      this.dw = dw;
      this.dwo = dwo;
      this.dws = dws;
      team.run(outer);
    }

    /* Rows of dW, or columns where so few rows as a head's cannot be divided evenly. */
    private void outerPart(int part, int parts) {
      boolean byColumns = largest(rows, parts) > largest(columns, parts);
      int divided = byColumns ? columns : rows;
      int i = first(part, parts, divided, Kernels.LANES);
      int count = first(part + 1, parts, divided, Kernels.LANES) - i;
      if (byColumns) {
        serial.outerAccumulate(n, z, zo, zs, rows, x, xo + i, xs, count, dw, dwo + i, dws);
      } else {
        serial.outerAccumulate(n, z, zo + i, zs, count, x, xo, xs, columns, dw, dwo + i * dws, dws);
      }
    }

    /* What the largest part has, in eighths of the whole. */
    private static int largest(int n, int parts) {
      int blocks = (n + Kernels.LANES - 1) / Kernels.LANES;
      return 8 * ((blocks + parts - 1) / parts) / blocks;
    }
  }
}
