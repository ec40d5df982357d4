package dev.unroll.cli;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A picture of lines, PNG or SVG by the file's name. */
final class Chart {
  /* Told apart by the colour-blind too: Okabe and Ito's palette. */
  private static final int[] COLORS = {
    0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x000000, 0x999933
  };
  private static final int WIDTH = 1000;
  private static final int HEIGHT = 600;
  private static final double SMALLEST = 1e-30;

  private record Line(String name, double[] x, double[] y) {}

  private final String title;
  private final String xLabel;
  private final String yLabel;
  private final boolean logarithmic;
  private final List<Line> lines = new ArrayList<>();

  Chart(String title, String xLabel, String yLabel, boolean logarithmic) {
    this.title = title;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
    this.logarithmic = logarithmic;
  }

  /** Adds a line; what a logarithmic axis cannot show is left out. */
  void add(String name, List<Double> x, List<Double> y) {
    List<Integer> shown = new ArrayList<>();
    for (int i = 0; i < y.size(); i++) {
      double value = y.get(i);
      if (Double.isFinite(value) && (!logarithmic || value > SMALLEST)) {
        shown.add(i);
      }
    }
    if (!shown.isEmpty()) {
      lines.add(
          new Line(
              name,
              shown.stream().mapToDouble(x::get).toArray(),
              shown.stream().mapToDouble(i -> scaled(y.get(i))).toArray()));
    }
  }

  /* The library's own logarithmic axis prints its labels on top of each other over many decades. */
  private double scaled(double value) {
    return logarithmic ? StrictMath.log10(value) : value;
  }

  private static String power(double exponent) {
    boolean whole = Math.abs(exponent - Math.rint(exponent)) < 1e-9;
    if (whole && (exponent < -3 || exponent > 3)) {
      return String.format(Locale.ROOT, "1e%.0f", exponent);
    }
    String format = exponent >= 2 ? "%.0f" : "%.2g";
    return String.format(Locale.ROOT, format, StrictMath.pow(10, exponent));
  }

  /** Whether a name is one of a picture that can be written. */
  static void check(Path path) {
    String name = path.getFileName() == null ? "" : path.getFileName().toString();
    if (!name.toLowerCase(Locale.ROOT).matches(".*\\.(png|svg)")) {
      throw new UsageException("cannot draw " + path + ": its name must end in .png or .svg");
    }
    Output.check(path);
  }

  /** Draws the picture; says why on standard error where this machine cannot draw text. */
  void save(Path path) throws IOException {
    System.setProperty("java.awt.headless", "true");
    if (lines.isEmpty()) {
      System.err.println("nothing to draw in " + path + ": no finite value");
      return;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      XYChart chart = chart();
      if (path.toString().toLowerCase(Locale.ROOT).endsWith(".svg")) {
        VectorGraphicsEncoder.saveVectorGraphic(
            chart, bytes, VectorGraphicsEncoder.VectorGraphicsFormat.SVG);
      } else {
        BitmapEncoder.saveBitmap(chart, bytes, BitmapEncoder.BitmapFormat.PNG);
      }
    } catch (LinkageError | InternalError | RuntimeException e) {
      System.err.println(
          path
              + " was not drawn: Java finds no fonts here ("
              + e
              + "); install fontconfig and a font, for example fonts-dejavu-core. The numbers are in"
              + " the CSV file.");
      return;
    }
    Output.write(path, bytes.toByteArray());
  }

  private XYChart chart() {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(xLabel)
            .yAxisTitle(yLabel)
            .build();
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xDDDDDD));
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    chart.getStyler().setLegendBorderColor(Color.WHITE);
    chart.getStyler().setXAxisMaxLabelCount(12);
    if (logarithmic) {
      chart.getStyler().setyAxisTickLabelsFormattingFunction(Chart::power);
    } else {
      chart.getStyler().setYAxisDecimalPattern("0.####");
    }
    for (int i = 0; i < lines.size(); i++) {
      Line line = lines.get(i);
      XYSeries series = chart.addSeries(line.name(), line.x(), line.y());
      series.setMarker(SeriesMarkers.NONE);
      series.setLineColor(new Color(COLORS[i % COLORS.length]));
      float[] dashes = i < COLORS.length ? null : new float[] {6f, 4f};
      series.setLineStyle(
          new BasicStroke(2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1f, dashes, 0f));
    }
    return chart;
  }
}
