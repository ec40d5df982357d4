/** Recurrent networks: description, inference, training, model files. */
module dev.unroll.engine {
  requires static org.jspecify;
  requires transitive dev.unroll.fallback;
  requires jdk.management;
  requires com.google.gson;

  exports dev.unroll.engine;

  uses dev.unroll.fallback.KernelProvider;
}
