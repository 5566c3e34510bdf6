(module
  (import "env" "memory" (memory 1))
  ;; out[r] = scales[r] * sum(rows[r][i] * query[i]); rows int8, query int16, dim a multiple of 16
  (func (export "dots") (param $rows i32) (param $scales i32) (param $count i32) (param $dim i32) (param $query i32) (param $out i32)
    (local $end i32) (local $q i32) (local $stop i32) (local $acc v128) (local $more v128)
    (local.set $end (i32.add (local.get $out) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (loop $row
        (br_if $done (i32.ge_u (local.get $out) (local.get $end)))
        (local.set $acc (v128.const i32x4 0 0 0 0))
        (local.set $more (v128.const i32x4 0 0 0 0))
        (local.set $q (local.get $query))
        (local.set $stop (i32.add (local.get $query) (i32.shl (local.get $dim) (i32.const 1))))
        (loop $part
          (local.set $acc (i32x4.add (local.get $acc)
            (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $rows)) (v128.load (local.get $q)))))
          (local.set $more (i32x4.add (local.get $more)
            (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $rows)) (v128.load offset=16 (local.get $q)))))
          (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
          (local.set $q (i32.add (local.get $q) (i32.const 32)))
          (br_if $part (i32.lt_u (local.get $q) (local.get $stop))))
        (local.set $acc (i32x4.add (local.get $acc) (local.get $more)))
        (f32.store (local.get $out) (f32.mul (f32.load (local.get $scales)) (f32.convert_i32_s
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $acc)) (i32x4.extract_lane 1 (local.get $acc)))
            (i32.add (i32x4.extract_lane 2 (local.get $acc)) (i32x4.extract_lane 3 (local.get $acc)))))))
        (local.set $scales (i32.add (local.get $scales) (i32.const 4)))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (br $row))))
  ;; out[d] = sum over n of table[ids[n]][d] * counts[n]; float32, dim a multiple of 4
  (func (export "gather") (param $table i32) (param $dim i32) (param $ids i32) (param $counts i32) (param $n i32) (param $out i32)
    (local $bytes i32) (local $d i32) (local $row i32) (local $last i32) (local $w v128)
    (local.set $bytes (i32.shl (local.get $dim) (i32.const 2)))
    (memory.fill (local.get $out) (i32.const 0) (local.get $bytes))
    (local.set $last (i32.add (local.get $ids) (i32.shl (local.get $n) (i32.const 2))))
    (block $done
      (loop $token
        (br_if $done (i32.ge_u (local.get $ids) (local.get $last)))
        (local.set $row (i32.add (local.get $table) (i32.mul (i32.load (local.get $ids)) (local.get $bytes))))
        (local.set $w (f32x4.splat (f32.load (local.get $counts))))
        (local.set $d (i32.const 0))
        (loop $part
          (v128.store (i32.add (local.get $out) (local.get $d))
            (f32x4.add (v128.load (i32.add (local.get $out) (local.get $d)))
              (f32x4.mul (local.get $w) (v128.load (i32.add (local.get $row) (local.get $d))))))
          (local.set $d (i32.add (local.get $d) (i32.const 16)))
          (br_if $part (i32.lt_u (local.get $d) (local.get $bytes))))
        (local.set $ids (i32.add (local.get $ids) (i32.const 4)))
        (local.set $counts (i32.add (local.get $counts) (i32.const 4)))
        (br $token))))
  ;; out[d] = sum over n of (table[ids[n]][d] - 128) * scales[ids[n]] * counts[n]; table uint8, dim a multiple of 16
  (func (export "gatherBytes") (param $table i32) (param $dim i32) (param $scales i32) (param $ids i32) (param $counts i32) (param $n i32) (param $out i32)
    (local $o i32) (local $stop i32) (local $row i32) (local $last i32) (local $w v128) (local $s v128) (local $b v128)
    (memory.fill (local.get $out) (i32.const 0) (i32.shl (local.get $dim) (i32.const 2)))
    (local.set $stop (i32.add (local.get $out) (i32.shl (local.get $dim) (i32.const 2))))
    (local.set $last (i32.add (local.get $ids) (i32.shl (local.get $n) (i32.const 2))))
    (block $done
      (loop $token
        (br_if $done (i32.ge_u (local.get $ids) (local.get $last)))
        (local.set $row (i32.add (local.get $table) (i32.mul (i32.load (local.get $ids)) (local.get $dim))))
        (local.set $s (f32x4.splat (f32.load (i32.add (local.get $scales) (i32.shl (i32.load (local.get $ids)) (i32.const 2))))))
        (local.set $w (f32x4.splat (f32.load (local.get $counts))))
        (local.set $o (local.get $out))
        (loop $part
          (local.set $b (i16x8.sub (v128.load8x8_u (local.get $row)) (v128.const i16x8 128 128 128 128 128 128 128 128)))
          (v128.store (local.get $o) (f32x4.add (v128.load (local.get $o)) (f32x4.mul (local.get $w)
            (f32x4.mul (local.get $s) (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_s (local.get $b)))))))
          (v128.store offset=16 (local.get $o) (f32x4.add (v128.load offset=16 (local.get $o)) (f32x4.mul (local.get $w)
            (f32x4.mul (local.get $s) (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_s (local.get $b)))))))
          (local.set $row (i32.add (local.get $row) (i32.const 8)))
          (local.set $o (i32.add (local.get $o) (i32.const 32)))
          (br_if $part (i32.lt_u (local.get $o) (local.get $stop))))
        (local.set $ids (i32.add (local.get $ids) (i32.const 4)))
        (local.set $counts (i32.add (local.get $counts) (i32.const 4)))
        (br $token)))))
