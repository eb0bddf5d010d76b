package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Single instructions on the simulated device, on random bits and on numbers at the edges, against
 * what the PTX ISA says of them: IEEE arithmetic, rounded to nearest, with subnormal numbers; every
 * NaN of 32 bits the same one; comparisons with NaN; shifts by more than the width.
 */
@ExtendWith(FreshDevice.class)
final class PtxArithmeticTest {
  private static final int PATTERNS = 2048;
  private static final int THREADS = 256;

  /** What an instruction computes of the bits of its operands, whose high bits are random. */
  private interface Formula {
    long of(long a, long b, long c);
  }

  /** On the low 32 bits. */
  private interface Formula32 {
    int of(int a, int b, int c);
  }

  private interface FloatFormula {
    float of(float a, float b, float c);
  }

  private interface DoubleFormula {
    double of(double a, double b, double c);
  }

  private interface FloatRelation {
    boolean of(float a, float b);
  }

  /**
   * By instruction: d is the result; a, b, c are operands; h, w, l are their widths; p and q are
   * predicates.
   */
  private final Map<String, Formula> cases = new LinkedHashMap<>();

  private void on64(String instruction, Formula formula) {
    cases.put(instruction, formula);
  }

  private void on32(String instruction, Formula32 formula) {
    cases.put(
        instruction, (a, b, c) -> Integer.toUnsignedLong(formula.of((int) a, (int) b, (int) c)));
  }

  private void onFloats(String instruction, FloatFormula formula) {
    on32(
        instruction,
        (a, b, c) -> {
          float result =
              formula.of(Float.intBitsToFloat(a), Float.intBitsToFloat(b), Float.intBitsToFloat(c));
          return Float.isNaN(result) ? 0x7fffffff : Float.floatToRawIntBits(result);
        });
  }

  /** All NaNs are taken for one. */
  private void onDoubles(String instruction, DoubleFormula formula) {
    on64(
        instruction,
        (a, b, c) ->
            Double.doubleToLongBits(
                formula.of(
                    Double.longBitsToDouble(a),
                    Double.longBitsToDouble(b),
                    Double.longBitsToDouble(c))));
  }

  private void relation(String name, FloatRelation relation) {
    on32(
        "setp." + name + ".f32 p, aw, bw; selp.b32 dw, 1, 0, p",
        (a, b, c) -> relation.of(Float.intBitsToFloat(a), Float.intBitsToFloat(b)) ? 1 : 0);
  }

  private static int bitField(int a, int from, int length, boolean signed) {
    int position = from & 255;
    int width = length & 255;
    if (width == 0) {
      return 0;
    }
    int sign = signed ? (a >> Math.min(31, position + width - 1)) & 1 : 0;
    int result = 0;
    for (int bit = 0; bit < 32; bit++) {
      int set = bit < width && position + bit < 32 ? (a >> (position + bit)) & 1 : sign;
      result |= set << bit;
    }
    return result;
  }

  private static int permuted(int a, int b, int selection) {
    long both = ((long) b << 32) | Integer.toUnsignedLong(a);
    int result = 0;
    for (int byteNumber = 0; byteNumber < 4; byteNumber++) {
      int chosen = (selection >> (4 * byteNumber)) & 15;
      int value = (byte) (both >> (8 * (chosen & 7)));
      result |= ((chosen & 8) == 0 ? value & 255 : (value >> 31) & 255) << (8 * byteNumber);
    }
    return result;
  }

  private static int saturated(double value, double least, double most) {
    return Double.isNaN(value) ? 0 : (int) (long) Math.max(least, Math.min(most, value));
  }

  private void describe() {
    onFloats("add.rn.f32 dw, aw, bw", (a, b, c) -> a + b);
    onFloats("add.f32 dw, aw, bw", (a, b, c) -> a + b);
    onFloats("sub.rn.f32 dw, aw, bw", (a, b, c) -> a - b);
    onFloats("mul.rn.f32 dw, aw, bw", (a, b, c) -> a * b);
    onFloats("div.rn.f32 dw, aw, bw", (a, b, c) -> a / b);
    onFloats("fma.rn.f32 dw, aw, bw, cw", Math::fma);
    onFloats("sqrt.rn.f32 dw, aw", (a, b, c) -> (float) Math.sqrt(a));
    onFloats("rcp.rn.f32 dw, aw", (a, b, c) -> 1 / a);
    onFloats(
        "min.f32 dw, aw, bw",
        (a, b, c) -> Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.min(a, b));
    onFloats(
        "max.f32 dw, aw, bw",
        (a, b, c) -> Float.isNaN(a) ? b : Float.isNaN(b) ? a : Math.max(a, b));
    on32("neg.f32 dw, aw", (a, b, c) -> a ^ 0x80000000);
    on32("abs.f32 dw, aw", (a, b, c) -> a & 0x7fffffff);
    onDoubles("add.rn.f64 dl, al, bl", (a, b, c) -> a + b);
    onDoubles("mul.rn.f64 dl, al, bl", (a, b, c) -> a * b);
    onDoubles("div.rn.f64 dl, al, bl", (a, b, c) -> a / b);
    onDoubles("fma.rn.f64 dl, al, bl, cl", Math::fma);
    onDoubles("sqrt.rn.f64 dl, al", (a, b, c) -> Math.sqrt(a));

    relation("eq", (a, b) -> a == b);
    relation("ne", (a, b) -> a < b || a > b);
    relation("lt", (a, b) -> a < b);
    relation("le", (a, b) -> a <= b);
    relation("gt", (a, b) -> a > b);
    relation("ge", (a, b) -> a >= b);
    relation("equ", (a, b) -> !(a < b || a > b));
    relation("neu", (a, b) -> a != b);
    relation("ltu", (a, b) -> !(a >= b));
    relation("leu", (a, b) -> !(a > b));
    relation("gtu", (a, b) -> !(a <= b));
    relation("geu", (a, b) -> !(a < b));
    relation("num", (a, b) -> !Float.isNaN(a) && !Float.isNaN(b));
    relation("nan", (a, b) -> Float.isNaN(a) || Float.isNaN(b));
    on32(
        "setp.lt.s32 q, bw, cw; setp.lt.and.u32 p, aw, bw, q; selp.b32 dw, aw, bw, p",
        (a, b, c) -> b < c && Integer.compareUnsigned(a, b) < 0 ? a : b);
    on64("setp.gt.s64 p|q, al, bl; selp.b64 dl, cl, 7, q", (a, b, c) -> a > b ? 7 : c);

    on64("add.s64 dl, al, bl", (a, b, c) -> a + b);
    on64("sub.s64 dl, al, bl", (a, b, c) -> a - b);
    on64("mul.lo.s64 dl, al, bl", (a, b, c) -> a * b);
    on64("mul.hi.s64 dl, al, bl", (a, b, c) -> Math.multiplyHigh(a, b));
    on64("mul.wide.s32 dl, aw, bw", (a, b, c) -> (long) (int) a * (int) b);
    on64("mul.wide.u32 dl, aw, bw", (a, b, c) -> (a & 0xffffffffL) * (b & 0xffffffffL));
    on64("mad.wide.s32 dl, aw, bw, cl", (a, b, c) -> (long) (int) a * (int) b + c);
    on64("shl.b64 dl, al, bw", (a, b, c) -> (b & 0xffffffffL) > 63 ? 0 : a << b);
    on64("shr.u64 dl, al, bw", (a, b, c) -> (b & 0xffffffffL) > 63 ? 0 : a >>> b);
    on64("shr.s64 dl, al, bw", (a, b, c) -> a >> Math.min(63, b & 0xffffffffL));
    on64("popc.b64 dw, al", (a, b, c) -> Long.bitCount(a));
    on64("clz.b64 dw, al", (a, b, c) -> Long.numberOfLeadingZeros(a));
    on64("brev.b64 dl, al", (a, b, c) -> Long.reverse(a));
    on64("min.s64 dl, al, bl", (a, b, c) -> Math.min(a, b));
    on64("max.u64 dl, al, bl", (a, b, c) -> Long.compareUnsigned(a, b) > 0 ? a : b);

    on32("mad.lo.s32 dw, aw, bw, cw", (a, b, c) -> a * b + c);
    on32("mul.hi.s32 dw, aw, bw", (a, b, c) -> (int) (((long) a * b) >> 32));
    on32(
        "mul.hi.u32 dw, aw, bw",
        (a, b, c) -> (int) (((a & 0xffffffffL) * (b & 0xffffffffL)) >>> 32));
    on32("or.b32 cw, bw, 1; div.s32 dw, aw, cw", (a, b, c) -> a / (b | 1));
    on32("or.b32 cw, bw, 1; rem.s32 dw, aw, cw", (a, b, c) -> a % (b | 1));
    on32("or.b32 cw, bw, 1; div.u32 dw, aw, cw", (a, b, c) -> Integer.divideUnsigned(a, b | 1));
    on32("or.b32 cw, bw, 1; rem.u32 dw, aw, cw", (a, b, c) -> Integer.remainderUnsigned(a, b | 1));
    on32("min.s32 dw, aw, bw", (a, b, c) -> Math.min(a, b));
    on32("max.u32 dw, aw, bw", (a, b, c) -> Integer.compareUnsigned(a, b) > 0 ? a : b);
    on32("neg.s32 dw, aw", (a, b, c) -> -a);
    on32("abs.s32 dw, aw", (a, b, c) -> Math.abs(a));
    on32("not.b32 dw, aw", (a, b, c) -> ~a);
    on32("xor.b32 dw, aw, bw", (a, b, c) -> a ^ b);
    on32("shl.b32 dw, aw, bw", (a, b, c) -> Integer.compareUnsigned(b, 31) > 0 ? 0 : a << b);
    on32("and.b32 cw, bw, 63; shr.u32 dw, aw, cw", (a, b, c) -> (b & 63) > 31 ? 0 : a >>> (b & 63));
    on32("and.b32 cw, bw, 63; shr.s32 dw, aw, cw", (a, b, c) -> a >> Math.min(31, b & 63));
    on32("popc.b32 dw, aw", (a, b, c) -> Integer.bitCount(a));
    on32("clz.b32 dw, aw", (a, b, c) -> Integer.numberOfLeadingZeros(a));
    on32("brev.b32 dw, aw", (a, b, c) -> Integer.reverse(a));
    on32("bfind.u32 dw, aw", (a, b, c) -> 31 - Integer.numberOfLeadingZeros(a));
    on32("bfind.s32 dw, aw", (a, b, c) -> 31 - Integer.numberOfLeadingZeros(a < 0 ? ~a : a));
    on32(
        "and.b32 bw, bw, 63; and.b32 cw, cw, 63; bfe.u32 dw, aw, bw, cw",
        (a, b, c) -> bitField(a, b & 63, c & 63, false));
    on32(
        "and.b32 bw, bw, 63; and.b32 cw, cw, 63; bfe.s32 dw, aw, bw, cw",
        (a, b, c) -> bitField(a, b & 63, c & 63, true));
    on32("bfi.b32 dw, aw, bw, 5, 27", (a, b, c) -> (int) ((long) a << 5) | (b & 31));
    on32("prmt.b32 dw, aw, bw, cw", PtxArithmeticTest::permuted);
    on32("lop3.b32 dw, aw, bw, cw, 0x96", (a, b, c) -> a ^ b ^ c);
    on32("lop3.b32 dw, aw, bw, cw, 0xE4", (a, b, c) -> (a & c) | (b & ~c));
    on32(
        "shf.l.wrap.b32 dw, aw, bw, cw",
        (a, b, c) -> (int) (((((long) b << 32) | (a & 0xffffffffL)) << (c & 31)) >>> 32));
    on32(
        "shf.r.wrap.b32 dw, aw, bw, cw",
        (a, b, c) -> (int) ((((long) b << 32) | (a & 0xffffffffL)) >>> (c & 31)));

    on32("cvt.rn.f32.s32 dw, aw", (a, b, c) -> Float.floatToRawIntBits((float) a));
    on32("cvt.rn.f32.u32 dw, aw", (a, b, c) -> Float.floatToRawIntBits((float) (a & 0xffffffffL)));
    on32("cvt.rn.f32.u16 dw, ah", (a, b, c) -> Float.floatToRawIntBits((float) (a & 0xffff)));
    on64("cvt.rn.f32.s64 dw, al", (a, b, c) -> Float.floatToRawIntBits((float) a) & 0xffffffffL);
    on64("cvt.rn.f64.s64 dl, al", (a, b, c) -> Double.doubleToLongBits((double) a));
    on64("cvt.rn.f64.s16 dl, ah", (a, b, c) -> Double.doubleToLongBits((double) (short) a));
    on64(
        "cvt.f64.f32 dl, aw",
        (a, b, c) -> Double.doubleToLongBits((double) Float.intBitsToFloat((int) a)));
    on64(
        "cvt.rn.f32.f64 dw, al",
        (a, b, c) -> {
          float narrowed = (float) Double.longBitsToDouble(a);
          return Float.isNaN(narrowed)
              ? 0x7fffffff
              : Float.floatToRawIntBits(narrowed) & 0xffffffffL;
        });
    on32(
        "cvt.rzi.s32.f32 dw, aw",
        (a, b, c) -> saturated(Float.intBitsToFloat(a), Integer.MIN_VALUE, Integer.MAX_VALUE));
    on32(
        "cvt.rni.s32.f32 dw, aw",
        (a, b, c) ->
            saturated(Math.rint(Float.intBitsToFloat(a)), Integer.MIN_VALUE, Integer.MAX_VALUE));
    on32("cvt.rzi.u32.f32 dw, aw", (a, b, c) -> saturated(Float.intBitsToFloat(a), 0, 0xffffffffL));
    onFloats("cvt.rmi.f32.f32 dw, aw", (a, b, c) -> (float) Math.floor(a));
    onFloats("cvt.rni.f32.f32 dw, aw", (a, b, c) -> (float) Math.rint(a));
    on64("cvt.s64.s32 dl, aw", (a, b, c) -> (int) a);
    on64("cvt.u64.u32 dl, aw", (a, b, c) -> a & 0xffffffffL);
    on32("cvt.s32.s8 dw, ah", (a, b, c) -> (byte) a);
    on32("cvt.u32.u8 dw, aw", (a, b, c) -> a & 255);
    on32("cvt.u32.u64 dw, al", (a, b, c) -> a);
    on32("cvt.sat.s8.s32 dw, aw", (a, b, c) -> Math.max(-128, Math.min(127, a)));
    on32("cvt.sat.u8.s32 dw, aw", (a, b, c) -> Math.max(0, Math.min(255, a)));

    on64("mov.b64 {aw, bw}, cl; mov.b64 dl, {bw, aw}", (a, b, c) -> (c >>> 32) | (c << 32));
    on32("mov.b32 {ah, bh}, cw; mov.b32 dw, {bh, ah}", (a, b, c) -> (c >>> 16) | (c << 16));
    on32("mul.wide.u16 dw, ah, bh", (a, b, c) -> (a & 0xffff) * (b & 0xffff));
    on32("add.s16 ah, ah, bh; cvt.u32.u16 dw, ah", (a, b, c) -> (a + b) & 0xffff);
  }

  private static String entry(int number, String instruction) {
    String text = " " + instruction.replace(" ", "  ");
    for (String register : List.of("a", "b", "c", "d")) {
      for (String width : List.of("h", "w", "l")) {
        text = text.replaceAll("([ {])" + register + width + "\\b", "$1%" + width + register);
      }
    }
    text = text.replaceAll("([ |])([pq])\\b", "$1%$2");
    String result =
        instruction.contains(" dl")
            ? ""
            : instruction.contains(" dw") ? "cvt.u64.u32 %ld, %wd;" : "";
    return """
        .visible .entry f%d(.param .u64 from, .param .u64 to)
        {
        .reg .pred %%p, %%q;
        .reg .b16 %%ha, %%hb, %%hc, %%hd;
        .reg .b32 %%wa, %%wb, %%wc, %%wd, %%t<4>;
        .reg .b64 %%la, %%lb, %%lc, %%ld, %%at<4>;
        ld.param.u64 %%at1, [from];
        ld.param.u64 %%at2, [to];
        mov.u32 %%t1, %%ctaid.x;
        mov.u32 %%t2, %%ntid.x;
        mov.u32 %%t3, %%tid.x;
        mad.lo.s32 %%t1, %%t1, %%t2, %%t3;
        mad.wide.u32 %%at1, %%t1, 24, %%at1;
        mad.wide.u32 %%at2, %%t1, 8, %%at2;
        ld.global.u64 %%la, [%%at1];
        ld.global.u64 %%lb, [%%at1+8];
        ld.global.u64 %%lc, [%%at1+16];
        cvt.u32.u64 %%wa, %%la;
        cvt.u32.u64 %%wb, %%lb;
        cvt.u32.u64 %%wc, %%lc;
        cvt.u16.u64 %%ha, %%la;
        cvt.u16.u64 %%hb, %%lb;
        cvt.u16.u64 %%hc, %%lc;
        %s;
        %s
        st.global.u64 [%%at2], %%ld;
        ret;
        }
        """
        .formatted(number, text, result);
  }

  /** Random bits, and in every eighth place each a number at an edge of its kind. */
  private static long pattern(SplittableRandom random) {
    long[] edges = {
      0,
      1,
      -1,
      31,
      32,
      64,
      Integer.MIN_VALUE,
      Integer.MAX_VALUE,
      Long.MIN_VALUE,
      Long.MAX_VALUE,
      Float.floatToRawIntBits(1),
      0x80000000L,
      0x7f800000L,
      0xff800000L,
      0x7fc00001L,
      0x00000001L,
      0x807fffffL,
      0x4f000000L,
      0xcf000000L,
      0x3f000000L,
      Double.doubleToRawLongBits(Double.POSITIVE_INFINITY),
      Double.doubleToRawLongBits(Double.NaN),
      Double.doubleToRawLongBits(1.0 + Math.ulp(1f) / 2),
      Double.doubleToRawLongBits(Float.MIN_VALUE)
    };
    return switch (random.nextInt(8)) {
      case 0 -> edges[random.nextInt(edges.length)];
      // Of a size at which sums, quotients and conversions round.
      case 1 ->
          Float.floatToRawIntBits((float) Math.scalb(random.nextDouble(-1, 1), random.nextInt(40)));
      case 2 ->
          Double.doubleToRawLongBits(Math.scalb(random.nextDouble(-1, 1), random.nextInt(40)));
      case 3 -> random.nextInt(-70, 70);
      default -> random.nextLong();
    };
  }

  @Test
  void everyInstructionComputesWhatTheIsaSays() {
    describe();
    StringBuilder text = new StringBuilder(".version 8.0\n.target sm_75\n.address_size 64\n");
    List<String> names = new ArrayList<>(cases.keySet());
    for (int number = 0; number < names.size(); number++) {
      text.append(entry(number, names.get(number)));
    }
    PtxRunner runner = new PtxRunner(text.toString());
    SplittableRandom random = new SplittableRandom(11);
    long[] operands = new long[3 * PATTERNS];
    for (int i = 0; i < operands.length; i++) {
      operands[i] = pattern(random);
    }
    for (int number = 0; number < names.size(); number++) {
      String name = names.get(number);
      long[] results = runner.run("f" + number, PATTERNS / THREADS, THREADS, operands, PATTERNS);
      for (int i = 0; i < PATTERNS; i++) {
        long a = operands[3 * i];
        long b = operands[3 * i + 1];
        long c = operands[3 * i + 2];
        long result = results[i];
        if (name.contains(".f64") && name.contains(" dl")) {
          result = Double.doubleToLongBits(Double.longBitsToDouble(result));
        }
        assertEquals(
            Long.toHexString(cases.get(name).of(a, b, c)),
            Long.toHexString(result),
            () -> String.format("%s of %x, %x, %x", name, a, b, c));
      }
    }
    assertEquals(List.of(), SimulatedDevice.violations());
  }
}
