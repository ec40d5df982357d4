/** The unroll command. */
module dev.unroll.cli {
  requires static org.jspecify;
  requires dev.unroll.engine;
  requires info.picocli;
  requires me.tongfei.progressbar;
  requires de.siegmar.fastcsv;
  requires org.knowm.xchart;
  requires java.desktop;
  requires java.management;
  requires jdk.management;

  exports dev.unroll.cli;

  opens dev.unroll.cli to
      info.picocli;
}
