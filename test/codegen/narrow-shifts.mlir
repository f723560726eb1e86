// RUN: sinter-opt %s --narrow-shifts | FileCheck %s

// CHECK-LABEL: func.func @codes
// CHECK-SAME:      (%[[W:.*]]: vector<8xi32>)
// The shift of words is gone too: code that is placed by its readers takes even a dead one for a reader.
// CHECK-NOT:     arith.shrui {{.*}} : vector<8xi32>
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant dense<4> : vector<32xi8>
// CHECK-DAG:     %[[B:.*]] = vector.bitcast %[[W]] : vector<8xi32> to vector<32xi8>
// CHECK:         arith.shrui %{{.*}}, %[[FOUR]] : vector<32xi8>
// CHECK-NOT:     arith.andi
// CHECK:         return
func.func @codes(%w: vector<8xi32>) -> vector<8xi32> {
  %four = arith.constant dense<4> : vector<8xi32>
  %low = arith.constant dense<252645135> : vector<8xi32>
  %s = arith.shrui %w, %four : vector<8xi32>
  %a = arith.andi %s, %low : vector<8xi32>
  return %a : vector<8xi32>
}

// Left alone: a mask that keeps less than the shift of bytes would (two bits of four), and shifts by whole bytes.
// CHECK-LABEL: func.func @others
// CHECK-NOT:     vector.bitcast
// CHECK:         return
func.func @others(%w: vector<8xi32>) -> (vector<8xi32>, vector<8xi32>) {
  %four = arith.constant dense<4> : vector<8xi32>
  %eight = arith.constant dense<8> : vector<8xi32>
  %two = arith.constant dense<50529027> : vector<8xi32>
  %low = arith.constant dense<252645135> : vector<8xi32>
  %s = arith.shrui %w, %four : vector<8xi32>
  %a = arith.andi %s, %two : vector<8xi32>
  %t = arith.shrui %w, %eight : vector<8xi32>
  %b = arith.andi %t, %low : vector<8xi32>
  return %a, %b : vector<8xi32>, vector<8xi32>
}
