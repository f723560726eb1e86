// RUN: sinter-opt %s --approximate-math | FileCheck %s

// CHECK-LABEL: func.func @exp
// CHECK-SAME:      (%[[X:.*]]: vector<16xf32>)
// CHECK-NOT:     math.exp
// CHECK:         %[[LEAST:.*]] = arith.constant dense<-8.872280e+01>
// CHECK:         %[[UNDER:.*]] = arith.cmpf olt, %[[X]], %[[LEAST]]
// CHECK:         %[[L:.*]] = arith.select %[[UNDER]], %[[LEAST]], %[[X]]
// CHECK:         %[[MOST:.*]] = arith.constant dense<88.6999969>
// CHECK:         %[[OVER:.*]] = arith.cmpf ogt, %[[L]], %[[MOST]]
// CHECK:         %[[C:.*]] = arith.select %[[OVER]], %[[MOST]], %[[L]]
// CHECK:         %[[LOG2E:.*]] = arith.constant dense<1.44269502>
// CHECK:         %[[WHOLE:.*]] = arith.constant dense<0x4B400000>
// CHECK:         %[[T:.*]] = math.fma %[[C]], %[[LOG2E]], %[[WHOLE]]
// CHECK:         %[[N:.*]] = arith.subf %[[WHOLE]], %[[T]]
// CHECK:         %[[F:.*]] = math.fma %[[C]], %[[LOG2E]], %[[N]]
// CHECK-COUNT-5: math.fma
// CHECK:         %[[BITS:.*]] = arith.bitcast %[[T]] : vector<16xf32> to vector<16xi32>
// CHECK:         %[[E:.*]] = arith.shli %[[BITS]],
// CHECK:         %[[P:.*]] = arith.bitcast
// CHECK:         %[[Y:.*]] = arith.addi %[[P]], %[[E]]
// A weight of a position that is not seen is 0, whatever it is multiplied by.
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0> : vector<16xi32>
// CHECK:         %[[R:.*]] = arith.maxsi %[[Y]], %[[ZERO]]
// CHECK:         arith.bitcast %[[R]] : vector<16xi32> to vector<16xf32>
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp %x : vector<16xf32>
  return %y : vector<16xf32>
}

// CHECK-LABEL: func.func @number
// CHECK-NOT:     math.exp
// CHECK:         arith.shli %{{.*}} : i32
func.func @number(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}

// Upstream's.
// CHECK-LABEL: func.func @tanh
// CHECK-NOT:     math.tanh
func.func @tanh(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.tanh %x : vector<16xf32>
  return %y : vector<16xf32>
}

// Left alone: another width, and what is an instruction.
// CHECK-LABEL: func.func @others
// CHECK:         math.exp %{{.*}} : f64
// CHECK:         math.absf
// CHECK:         math.roundeven
func.func @others(%x: f64, %y: vector<16xf32>) -> (f64, vector<16xf32>) {
  %e = math.exp %x : f64
  %a = math.absf %y : vector<16xf32>
  %r = math.roundeven %a : vector<16xf32>
  return %e, %r : f64, vector<16xf32>
}
