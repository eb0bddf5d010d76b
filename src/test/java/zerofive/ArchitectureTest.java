package zerofive;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.function.Function;

/** Which package may import which, as docs/architecture.md has it. */
@AnalyzeClasses(packages = "zerofive", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  /** Each layer imports only layers that stand after it. */
  @ArchTest
  static final ArchRule layersPointOneWay =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("main")
          .definedBy("zerofive")
          .layer("cli")
          .definedBy("zerofive.cli..")
          .layer("report")
          .definedBy("zerofive.report..")
          .layer("study")
          .definedBy("zerofive.study..")
          .layer("run")
          .definedBy("zerofive.run..")
          .layer("train")
          .definedBy("zerofive.train..")
          .layer("backend")
          .definedBy("zerofive.backend..")
          .layer("model")
          .definedBy("zerofive.model..")
          .layer("data")
          .definedBy("zerofive.data..")
          .layer("files")
          .definedBy("zerofive.files..")
          .whereLayer("main")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("cli")
          .mayOnlyBeAccessedByLayers("main")
          .whereLayer("report")
          .mayOnlyBeAccessedByLayers("main", "cli")
          .whereLayer("study")
          .mayOnlyBeAccessedByLayers("cli", "report")
          .whereLayer("run")
          .mayOnlyBeAccessedByLayers("cli", "report", "study")
          .whereLayer("train")
          .mayOnlyBeAccessedByLayers("cli", "report", "study", "run")
          .whereLayer("backend")
          .mayOnlyBeAccessedByLayers("cli", "report", "study", "run", "train")
          .whereLayer("model")
          .mayOnlyBeAccessedByLayers("cli", "report", "study", "run", "train", "backend")
          .whereLayer("data")
          .mayOnlyBeAccessedByLayers("cli", "report", "study", "run", "train", "backend", "model");

  @ArchTest
  static final ArchRule filesUseNoOtherLibraryThanGson =
      classes()
          .that()
          .resideInAPackage("zerofive.files..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("zerofive.files..", "com.google.gson..", "java..");

  @ArchTest
  static final ArchRule dataUsesNoLibrary =
      classes()
          .that()
          .resideInAPackage("zerofive.data..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("zerofive.data..", "zerofive.files..", "java..", "javax.imageio..");

  @ArchTest
  static final ArchRule upperSeamKnowsNothingBehindIt =
      noClasses()
          .that()
          .resideInAPackage("zerofive.backend")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.backend.ops..",
              "zerofive.backend.natives..",
              "zerofive.backend.reference..",
              "zerofive.backend.jvm..",
              "zerofive.backend.cpu..",
              "zerofive.backend.cuda..");

  @ArchTest
  static final ArchRule nativesKnowNoImplementation =
      noClasses()
          .that()
          .resideInAPackage("zerofive.backend.natives..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.backend.ops..",
              "zerofive.backend.reference..",
              "zerofive.backend.jvm..",
              "zerofive.backend.cpu..",
              "zerofive.backend.cuda..");

  @ArchTest
  static final ArchRule opsKnowNoImplementation =
      noClasses()
          .that()
          .resideInAPackage("zerofive.backend.ops..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.backend.natives..",
              "zerofive.backend.reference..",
              "zerofive.backend.jvm..",
              "zerofive.backend.cpu..",
              "zerofive.backend.cuda..");

  @ArchTest
  static final ArchRule implementationsDoNotKnowEachOther =
      slices().matching("zerofive.backend.(reference|cpu|cuda)..").should().notDependOnEachOther();

  @ArchTest
  static final ArchRule onlyTheCpuKnowsItsJavaCode =
      noClasses()
          .that()
          .resideOutsideOfPackages("zerofive.backend.cpu..", "zerofive.backend.jvm..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("zerofive.backend.jvm..");

  @ArchTest
  static final ArchRule onlyBackendsNamesTheImplementations =
      noClasses()
          .that()
          .resideOutsideOfPackage("zerofive.backend..")
          .and()
          .haveNameNotMatching("zerofive\\.cli\\.device\\.Backends(\\$.*)?")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.backend.ops..",
              "zerofive.backend.natives..",
              "zerofive.backend.reference..",
              "zerofive.backend.jvm..",
              "zerofive.backend.cpu..",
              "zerofive.backend.cuda..");

  @ArchTest
  static final ArchRule commonsCliStaysInCli =
      noClasses()
          .that()
          .resideOutsideOfPackage("zerofive.cli..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.commons.cli..");

  @ArchTest
  static final ArchRule protocolBuffersStayInTheirFiles =
      noClasses()
          .that()
          .haveNameNotMatching(
              "zerofive\\.(model\\.format\\.OnnxFile|run\\.TensorBoardWriter)(\\$.*)?")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("com.google.protobuf..", "ai.onnx.proto..");

  @ArchTest
  static final ArchRule jsonIsParsedInOnePlace =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("zerofive.files.Json")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("com.google.gson.JsonParser");

  @ArchTest
  static final ArchRule jcudaStaysInCuda =
      noClasses()
          .that()
          .resideOutsideOfPackage("zerofive.backend.cuda..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jcuda..");

  @ArchTest
  static final ArchRule bytedecoStaysInCpu =
      noClasses()
          .that()
          .resideOutsideOfPackage("zerofive.backend.cpu..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.bytedeco..");

  /** Math's differ in their last bits from one machine to another, and so would a result. */
  @ArchTest
  static final ArchRule functionsAreThoseOfStrictMath =
      noClasses()
          .that()
          .resideOutsideOfPackage("zerofive.report..")
          .should()
          .callMethodWhere(
              describe(
                  "a function of Math with an inexact result is called",
                  call ->
                      call.getTargetOwner().isEquivalentTo(Math.class)
                          && call.getName()
                              .matches("exp|expm1|log|log10|log1p|pow|sin|cos|tan|tanh|cbrt")));

  @ArchTest
  static final ArchRule noCyclesOfPackages =
      slices().assignedFrom(slice("package", JavaClass::getPackageName)).should().beFreeOfCycles();

  @ArchTest
  static final ArchRule noCyclesOfFiles =
      slices()
          .assignedFrom(slice("source file", type -> type.getName().replaceFirst("\\$.*", "")))
          .should()
          .beFreeOfCycles();

  private static SliceAssignment slice(String unit, Function<JavaClass, String> name) {
    return new SliceAssignment() {
      @Override
      public SliceIdentifier getIdentifierOf(JavaClass type) {
        return SliceIdentifier.of(name.apply(type));
      }

      @Override
      public String getDescription() {
        return "one slice a " + unit;
      }
    };
  }
}
