package zerofive;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * Who may import whom: cli -> report -> study -> train -> backend -> model -> data, never upwards.
 * The rules of docs/architecture.md, those on packages that are still to come included.
 */
@AnalyzeClasses(packages = "zerofive", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule dataImportsNoOtherChapter =
      classes()
          .that()
          .resideInAPackage("zerofive.data..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("zerofive.data..", "com.google.gson..", "java..", "javax.imageio..");

  @ArchTest
  static final ArchRule modelStandsOnData =
      classes()
          .that()
          .resideInAPackage("zerofive.model..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.model..",
              "zerofive.data..",
              "com.google.gson..",
              "com.google.protobuf..",
              "ai.onnx.proto..",
              "java..");

  @ArchTest
  static final ArchRule backendKnowsNoTrainer =
      noClasses()
          .that()
          .resideInAPackage("zerofive.backend..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.train..", "zerofive.study..", "zerofive.report..", "zerofive.cli..");

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
              "zerofive.backend.cpu..",
              "zerofive.backend.cuda..");

  @ArchTest
  static final ArchRule implementationsDoNotKnowEachOther =
      slices().matching("zerofive.backend.(reference|cpu|cuda)..").should().notDependOnEachOther();

  @ArchTest
  static final ArchRule trainKnowsTheUpperSeamOnly =
      noClasses()
          .that()
          .resideInAPackage("zerofive.train..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.backend.ops..",
              "zerofive.backend.natives..",
              "zerofive.backend.reference..",
              "zerofive.backend.cpu..",
              "zerofive.backend.cuda..",
              "zerofive.study..",
              "zerofive.report..",
              "zerofive.cli..");

  @ArchTest
  static final ArchRule studyKnowsTheUpperSeamOnly =
      noClasses()
          .that()
          .resideInAPackage("zerofive.study..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.backend.ops..",
              "zerofive.backend.natives..",
              "zerofive.backend.reference..",
              "zerofive.backend.cpu..",
              "zerofive.backend.cuda..",
              "zerofive.report..",
              "zerofive.cli..");

  @ArchTest
  static final ArchRule reportKnowsTheUpperSeamOnly =
      noClasses()
          .that()
          .resideInAPackage("zerofive.report..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.backend.ops..",
              "zerofive.backend.natives..",
              "zerofive.backend.reference..",
              "zerofive.backend.cpu..",
              "zerofive.backend.cuda..",
              "zerofive.cli..");

  @ArchTest
  static final ArchRule onlyBackendsNamesTheImplementations =
      noClasses()
          .that()
          .resideOutsideOfPackage("zerofive.backend..")
          .and()
          .haveNameNotMatching("zerofive\\.cli\\.Backends(\\$.*)?")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "zerofive.backend.ops..",
              "zerofive.backend.natives..",
              "zerofive.backend.reference..",
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
          .haveNameNotMatching("zerofive\\.(model\\.OnnxFile|train\\.TensorBoardWriter)(\\$.*)?")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("com.google.protobuf..", "ai.onnx.proto..");

  @ArchTest
  static final ArchRule jsonIsParsedInOnePlace =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("zerofive.data.Json")
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

  @ArchTest
  static final ArchRule noCycles = slices().matching("zerofive.(*)..").should().beFreeOfCycles();
}
