/* The command lines whose calls are made to fail: every command, and of training every path that holds resources of its own. Data are tiny,
 * so that a run takes a twentieth of a second; `large` has rows enough for kernels to be still reading them when the next call fails. */
#include "faults/cases.h"

static const char *const inputs[] = {
    "generate rows=300,features=6,classes=3 -o few.npy",
    "generate rows=200,features=20,classes=40 -o many.npy",
    "generate rows=20000,features=16,classes=4 -o chunked.npy",
    "generate rows=200000,features=16,classes=4 -o large.npy",
    "generate rows=60000,features=16,classes=4 -o big.csv",
    "train iris.csv --standardize --max-iterations 3 --model iris.safetensors",
    "train iris.csv --id 1 --categorical 4 --na 1.4 --max-iterations 3 --model table.safetensors --backend reference",
    "train heart.svm --standardize --max-iterations 3 --model heart.safetensors --backend reference",
    "train many.npy --max-iterations 1 --model many.safetensors --backend reference",
    "export table.safetensors -o exported.json",
    "train few.npy --solver sgd --epochs 2 --batch-size 100 --checkpoint few.checkpoint --every 4it",
    "train big.csv --backend reference --max-iterations 1 --cache conversions",
};

enum { BOTH = FAULT_OPENCL | FAULT_ALLOCATION };
#define REFERENCE " --backend reference"
#define MODEL " --model out.safetensors --json"

static const Case cases[] = {
    {"few", BOTH, OUTPUT_JSON, "train ../in/iris.csv --max-iterations 2" MODEL},
    {"many", BOTH, OUTPUT_JSON, "train ../in/many.npy --max-iterations 1" MODEL},
    {"cold", BOTH | CASE_COLD, OUTPUT_JSON, "train ../in/iris.csv --max-iterations 1" MODEL},
    {"weights", BOTH, OUTPUT_JSON,
     "train ../in/iris.csv --weights ../in/weights.txt --class-weight balanced --l2 0.01 --standardize --max-iterations 1" MODEL},
    {"gpu-few", FAULT_OPENCL, OUTPUT_JSON, "train ../in/few.npy --family gpu --max-iterations 1" MODEL},
    {"gpu-many", FAULT_OPENCL, OUTPUT_JSON, "train ../in/many.npy --family gpu --max-iterations 1" MODEL},
    {"f16", FAULT_OPENCL, OUTPUT_JSON, "train ../in/few.npy --storage f16 --max-iterations 1" MODEL},
    {"u8", BOTH, OUTPUT_JSON, "train ../in/bytes.npy --storage u8 --max-iterations 1" MODEL},
    {"gd", FAULT_OPENCL, OUTPUT_JSON, "train ../in/few.npy --solver gd --max-iterations 2" MODEL},
    {"adam", FAULT_OPENCL, OUTPUT_JSON, "train ../in/few.npy --solver adam --epochs 1 --batch-size 100" MODEL},
    {"sgd", BOTH, OUTPUT_JSON,
     "train ../in/few.npy --solver sgd --epochs 1 --batch-size 100 --validation 0.1 --checkpoint out.checkpoint --every 1it --log "
     "out.jsonl" MODEL},
    {"resume", BOTH, OUTPUT_JSON, "train --resume ../in/few.checkpoint --checkpoint out.checkpoint" MODEL},
    {"test", BOTH, OUTPUT_JSON, "train ../in/few.npy --test ../in/few.npy --max-iterations 1" MODEL},
    {"streamed", BOTH, OUTPUT_JSON, "train ../in/chunked.npy --device-memory 2M --max-iterations 1" MODEL},
    {"streamed-f16", FAULT_OPENCL, OUTPUT_JSON, "train ../in/chunked.npy --device-memory 2M --storage f16 --max-iterations 1" MODEL},
    {"large", FAULT_OPENCL, OUTPUT_JSON, "train ../in/large.npy --max-iterations 1" MODEL},
    {"made", FAULT_OPENCL, OUTPUT_JSON, "train synthetic:rows=300,features=6,classes=3 --max-iterations 1" MODEL},
    {"clblast", BOTH, OUTPUT_JSON, "train ../in/many.npy --backend clblast --max-iterations 1" MODEL},
    {"blas", FAULT_ALLOCATION | CASE_ROUNDED, OUTPUT_SHAPE, "train ../in/many.npy --backend blas --max-iterations 1" MODEL},
    {"tune", BOTH | CASE_COLD, OUTPUT_JSON, "train ../in/large.npy --tune quick --max-iterations 1" MODEL},
    {"two", BOTH, OUTPUT_JSON, "train ../in/few.npy --device 0/2 --max-iterations 1" MODEL},
    {"two-many", FAULT_OPENCL, OUTPUT_JSON, "train ../in/many.npy --device 0/2 --max-iterations 1" MODEL},
    {"two-streamed", BOTH, OUTPUT_JSON, "train ../in/large.npy --device 0/2 --device-memory 6M --max-iterations 1" MODEL},
    {"sparse", BOTH, OUTPUT_JSON, "train ../in/few.npy --sparse always --standardize --max-iterations 1" MODEL},
    {"libsvm", FAULT_ALLOCATION, OUTPUT_JSON,
     "train ../in/heart.svm --validation 0.2 --solver adam --epochs 1 --batch-size 100 --test ../in/heart.svm" MODEL REFERENCE},
    {"gpu-libsvm", FAULT_OPENCL, OUTPUT_JSON, "train ../in/heart.svm --family gpu --storage f16 --max-iterations 1" MODEL},
    {"text", FAULT_ALLOCATION, OUTPUT_SHAPE, "train ../in/iris.csv --max-iterations 2 --model out.safetensors" REFERENCE},
    {"table", FAULT_ALLOCATION, OUTPUT_JSON,
     "train ../in/iris.csv ../in/iris.csv --id 1 --id 2 --categorical 4 --na 1.4 --test ../in/iris.csv --max-iterations 1" MODEL REFERENCE},
    {"table-predict", FAULT_ALLOCATION, OUTPUT_BYTES, "predict ../in/table.safetensors ../in/iris.csv -o out.csv" REFERENCE},
    {"table-eval", FAULT_ALLOCATION, OUTPUT_JSON, "eval ../in/table.safetensors ../in/iris.csv --missing mean --json" REFERENCE},
    {"table-explain", FAULT_ALLOCATION, OUTPUT_JSON, "explain ../in/table.safetensors ../in/iris.csv --row 8 --json"},
    {"table-model", FAULT_ALLOCATION, OUTPUT_JSON, "inspect ../in/table.safetensors --json"},
    {"table-model-text", FAULT_ALLOCATION, OUTPUT_BYTES, "inspect ../in/table.safetensors"},
    {"start", FAULT_ALLOCATION, OUTPUT_JSON, "train ../in/iris.csv --start ../in/iris.safetensors --max-iterations 1" MODEL REFERENCE},
    {"patience", FAULT_ALLOCATION, OUTPUT_JSON,
     "train ../in/iris.csv --solver sgd --patience 1 --epochs 2 --validation 0.2 --checkpoint out.checkpoint --every 1it" MODEL REFERENCE},
    {"cv", BOTH | CASE_SAMPLED, OUTPUT_JSON,
     "cv ../in/many.npy --folds 2 --l2-path 1 --max-iterations 1 --checkpoint out.checkpoint --every 1it --log out.jsonl" MODEL},
    {"cv-newton", FAULT_ALLOCATION, OUTPUT_JSON, "cv ../in/iris.csv --folds 2 --l2-path 0.1:1:2 --max-iterations 1" MODEL REFERENCE},
    {"cv-l1", FAULT_ALLOCATION, OUTPUT_JSON,
     "cv ../in/iris.csv --folds 2 --l1-ratio 1 --class-weight balanced --max-iterations 1 --choose 1se" MODEL REFERENCE},
    {"dry-run", BOTH, OUTPUT_SHAPE, "train ../in/few.npy --dry-run --json"},
    {"predict", BOTH, OUTPUT_BYTES, "predict ../in/iris.safetensors ../in/iris.csv -o out.csv"},
    {"predict-stdout", BOTH, OUTPUT_BYTES, "predict ../in/many.safetensors ../in/many.npy --top-k 2"},
    {"eval", BOTH, OUTPUT_JSON, "eval ../in/iris.safetensors ../in/iris.csv --json"},
    {"eval-text", FAULT_ALLOCATION, OUTPUT_BYTES, "eval ../in/iris.safetensors ../in/iris.csv" REFERENCE},
    {"report", FAULT_ALLOCATION | CASE_ROUNDED, OUTPUT_JSON,
     "train ../in/iris.csv --validation 0.2 --l2 0.01 --max-iterations 2 --summary --effects --report out.html" MODEL REFERENCE},
    {"report-cv", FAULT_ALLOCATION | CASE_ROUNDED, OUTPUT_JSON,
     "cv ../in/iris.csv --folds 2 --l2-path 0.1:1:2 --max-iterations 1 --report out.html" MODEL REFERENCE},
    {"report-eval", FAULT_ALLOCATION, OUTPUT_JSON, "eval ../in/iris.safetensors ../in/iris.csv --report out.html --json" REFERENCE},
    {"check", BOTH, OUTPUT_JSON, "check ../in/iris.csv --json"},
    {"devices", BOTH, OUTPUT_SHAPE, "devices --json"},
    {"devices-check", FAULT_OPENCL | CASE_COLD | CASE_SAMPLED, OUTPUT_SHAPE, "devices --check --json"},
    {"bench", BOTH | CASE_SAMPLED, OUTPUT_SHAPE, "bench ../in/few.npy --what step --repeat 1 --tune off --json --csv out.csv"},
    {"explain", FAULT_ALLOCATION, OUTPUT_JSON, "explain ../in/iris.safetensors ../in/iris.csv --row 3 --json"},
    {"explain-libsvm", FAULT_ALLOCATION, OUTPUT_JSON, "explain ../in/heart.safetensors ../in/heart.svm --row 3 --json"},
    {"explain-libsvm-text", FAULT_ALLOCATION, OUTPUT_BYTES, "explain ../in/heart.safetensors ../in/heart.svm --row 3"},
    {"explain-text", FAULT_ALLOCATION, OUTPUT_BYTES, "explain --x 1.9,0.4 --classes A,B --label A --weights 0.1,0.1;0.5,0.5"},
    {"inspect", FAULT_ALLOCATION, OUTPUT_JSON, "inspect ../in/iris.safetensors --json"},
    {"inspect-text", FAULT_ALLOCATION, OUTPUT_BYTES, "inspect ../in/iris.safetensors"},
    {"inspect-table", FAULT_ALLOCATION, OUTPUT_JSON, "inspect ../in/iris.csv --categorical 1 --json"},
    {"inspect-table-text", FAULT_ALLOCATION, OUTPUT_BYTES, "inspect ../in/iris.csv --categorical 1"},
    {"inspect-libsvm", FAULT_ALLOCATION, OUTPUT_BYTES, "inspect ../in/heart.svm"},
    {"inspect-libsvm-json", FAULT_ALLOCATION, OUTPUT_JSON, "inspect ../in/heart.svm --json"},
    {"inspect-hashed", FAULT_ALLOCATION, OUTPUT_BYTES, "inspect ../in/heart.svm --hash-features 8"},
    {"export-json", FAULT_ALLOCATION, OUTPUT_BYTES, "export ../in/table.safetensors -o out.json"},
    {"export-onnx", FAULT_ALLOCATION, OUTPUT_BYTES, "export ../in/table.safetensors -o out.onnx"},
    {"export-header", FAULT_ALLOCATION, OUTPUT_BYTES, "export ../in/table.safetensors -o out.h --quantize int8 --data ../in/iris.csv"},
    {"export-csv", FAULT_ALLOCATION, OUTPUT_JSON, "export ../in/iris.safetensors -o out.csv --json"},
    {"import-json", FAULT_ALLOCATION, OUTPUT_JSON, "import ../in/exported.json -o out.safetensors --json"},
    {"generate-npy", FAULT_ALLOCATION, OUTPUT_SHAPE, "generate rows=100,features=4,classes=3 -o out.npy --json"},
    {"generate-gz", FAULT_ALLOCATION, OUTPUT_SHAPE, "generate rows=100,features=4,classes=3 -o out.csv.gz --json"},
    {"cache-miss", FAULT_ALLOCATION, OUTPUT_JSON, "train ../in/big.csv --cache out-conversions --max-iterations 1" MODEL REFERENCE},
    {"cache-hit", FAULT_ALLOCATION, OUTPUT_JSON, "train ../in/big.csv --cache ../in/conversions --max-iterations 1" MODEL REFERENCE},
    {"cache-path", FAULT_ALLOCATION, OUTPUT_SHAPE, "cache path"}, /* a folder of the run's own */
    {"help", FAULT_ALLOCATION, OUTPUT_BYTES, "help train"},
};

const Case *fault_cases(size_t *count) {
  *count = sizeof cases / sizeof *cases;
  return cases;
}

const char *const *fault_inputs(size_t *count) {
  *count = sizeof inputs / sizeof *inputs;
  return inputs;
}
